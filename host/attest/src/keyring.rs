//! The installation's signing key: made once, kept in a file that only its owner reads.

use crate::dsse;
use crate::failure::AttestFailure;
use crate::key::PublicKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_model::canonical;
use countersign_model::statement::Statement;
use countersign_ports::{AttestError, Attestor};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The signing key in the state directory: PKCS#8 in PEM, mode 0600.
const KEY_FILE: &str = "signing.key";
/// The public key beside it.
const PUBLIC_FILE: &str = "signing.pub";
const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// Signs with the installation's key.
pub struct Keyring {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl Keyring {
    /// The key in the state directory; made there when there is none yet. Two processes that start at once agree on one.
    ///
    /// # Errors
    /// When it can not be read or made, when others may read it, or when only the public key is left.
    pub fn open_or_create(state_dir: &Path) -> Result<Self, AttestFailure> {
        fs::create_dir_all(state_dir).map_err(AttestFailure::io("create directory", state_dir))?;
        let (path, public_path) = (state_dir.join(KEY_FILE), state_dir.join(PUBLIC_FILE));
        let ring = match Self::read(&path)? {
            Some(ring) => ring,
            None => Self::create(&path, &public_path)?,
        };
        ring.write_public(&public_path)?;
        Ok(ring)
    }

    /// The public key, to be handed to those who verify.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn create(path: &Path, public: &Path) -> Result<Self, AttestFailure> {
        if public.exists() {
            // Another process may have made both between our two looks.
            let lost = AttestFailure::KeyLost { key: path.to_path_buf(), public: public.to_path_buf() };
            return Self::read(path)?.ok_or(lost);
        }
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
            .map_err(|_| AttestFailure::Make("the system gives no randomness"))?;
        let pem = format!("{BEGIN}\n{}\n{END}\n", STANDARD.encode(document.as_ref()));
        let written = write_beside(path, &pem, 0o600)?;
        // A link, unlike a rename, never replaces the key that another process put there first.
        let linked = fs::hard_link(&written, path);
        let removed = fs::remove_file(&written);
        match linked {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(AttestFailure::io("create signing key", path)(error));
            }
            Ok(()) | Err(_) => removed.map_err(AttestFailure::io("remove temporary file", &written))?,
        }
        sync_directory_of(path)?;
        Self::read(path)?.ok_or(AttestFailure::Make("the key vanished after it was written"))
    }

    /// None when there is no such file.
    fn read(path: &Path) -> Result<Option<Self>, AttestFailure> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(AttestFailure::io("read signing key", path)(error)),
        };
        let metadata = file.metadata().map_err(AttestFailure::io("read signing key", path))?;
        if metadata.mode() & 0o077 != 0 {
            return Err(AttestFailure::Exposed(path.to_path_buf()));
        }
        let mut pem = String::new();
        file.read_to_string(&mut pem).map_err(AttestFailure::io("read signing key", path))?;
        let bad = |problem| AttestFailure::BadKey { path: path.to_path_buf(), problem };
        let body = pem.trim().strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(END));
        let body = body.ok_or_else(|| bad("no `BEGIN PRIVATE KEY` block"))?;
        let body: String = body.chars().filter(|character| !character.is_ascii_whitespace()).collect();
        let document = STANDARD.decode(body).map_err(|_| bad("the block is not base64"))?;
        // Keys made by other tools carry no public key (PKCS#8 v1).
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&document).map_err(|_| bad("not an Ed25519 key"))?;
        let public = pair.public_key().as_ref().try_into().map_err(|_| bad("not an Ed25519 key"))?;
        Ok(Some(Self { pair, public: PublicKey::from_bytes(public) }))
    }

    /// Writes the public key where there is none; refuses one that is not of this key.
    fn write_public(&self, path: &Path) -> Result<(), AttestFailure> {
        let pem = self.public.to_pem();
        match fs::read_to_string(path) {
            Ok(there) if PublicKey::from_pem(&there)? == self.public => Ok(()),
            Ok(_) => {
                let problem = "`signing.pub` beside it belongs to another key";
                Err(AttestFailure::BadKey { path: path.with_file_name(KEY_FILE), problem })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let written = write_beside(path, &pem, 0o644)?;
                fs::rename(&written, path).map_err(AttestFailure::io("create public key", path))?;
                sync_directory_of(path)
            }
            Err(error) => Err(AttestFailure::io("read public key", path)(error)),
        }
    }
}

impl Attestor for Keyring {
    fn sign(&self, statement: &Statement) -> Result<String, AttestError> {
        let payload = canonical::to_bytes(statement).map_err(|error| AttestError::Sign(error.to_string()))?;
        let signature = self.pair.sign(&dsse::pre_authentication_encoding(&payload));
        dsse::seal(&payload, &self.public, signature.as_ref()).map_err(|error| AttestError::Sign(error.to_string()))
    }

    fn open(&self, envelope: &str) -> Result<Statement, AttestError> {
        dsse::open(envelope, &self.public).map_err(|failure| match failure {
            AttestFailure::Broken(why) => AttestError::Broken(why),
            other => AttestError::Broken(other.to_string()),
        })
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keyring({})", self.public.id())
    }
}

/// A durable file of a random name in the same directory, never readable by more than `mode` says.
fn write_beside(path: &Path, text: &str, mode: u32) -> Result<PathBuf, AttestFailure> {
    let mut random = [0; 8];
    SystemRandom::new().fill(&mut random).map_err(|_| AttestFailure::Make("the system gives no randomness"))?;
    let written = path.with_extension(format!("{}.tmp", hex::encode(random)));
    let failed = |source| AttestFailure::io("write", &written)(source);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&written).map_err(failed)?;
    let failed = |source| AttestFailure::io("write", &written)(source);
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    Ok(written)
}

/// Makes a new name in a directory survive a power cut.
fn sync_directory_of(path: &Path) -> Result<(), AttestFailure> {
    let Some(directory) = path.parent() else { return Ok(()) };
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.map_err(AttestFailure::io("write", directory))
}
