//! What was read of artifacts, kept for the next page. A key begins with a content digest, so that nothing here ever goes stale; the
//! least recently used goes when there are too many. Artifacts named by a request's evidence are verified anew when somebody decides and when
//! a model is pushed; showing what was read from verified bytes is as good as reading them again.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Documents kept. A review reads about ten, of two runs.
const DOCUMENTS: usize = 64;

/// A bounded shelf of parsed documents.
#[derive(Default)]
pub(super) struct Shelf {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    documents: HashMap<String, (u64, Arc<dyn Any + Send + Sync>)>,
    uses: u64,
}

impl Shelf {
    /// The document under a key, if it is there and of that type.
    pub(super) fn get<T: Send + Sync + 'static>(&self, key: &str) -> Option<Arc<T>> {
        let mut kept = self.lock();
        kept.uses += 1;
        let now = kept.uses;
        let (used, document) = kept.documents.get_mut(key)?;
        *used = now;
        Arc::clone(document).downcast().ok()
    }

    /// Puts a document on the shelf.
    pub(super) fn put<T: Send + Sync + 'static>(&self, key: String, document: Arc<T>) {
        let mut kept = self.lock();
        kept.uses += 1;
        let now = kept.uses;
        kept.documents.insert(key, (now, document));
        if kept.documents.len() > DOCUMENTS {
            let oldest = kept.documents.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| key.clone());
            oldest.and_then(|key| kept.documents.remove(&key));
        }
    }

    /// Nothing is ever half-changed under this lock, so that a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shelf_is_bounded_and_keeps_what_is_used() {
        let shelf = Shelf::default();
        shelf.put("first".to_string(), Arc::new(1_u32));
        for number in 0..200_u32 {
            shelf.put(format!("{number}"), Arc::new(number));
            assert_eq!(shelf.get::<u32>("first").as_deref(), Some(&1), "used all the time");
        }
        assert_eq!(shelf.lock().documents.len(), DOCUMENTS);
        assert!(shelf.get::<u32>("0").is_none());
        assert!(shelf.get::<String>("199").is_none(), "another type is not that document");
    }
}
