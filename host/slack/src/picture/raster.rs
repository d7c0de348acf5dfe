//! SVG to PNG with one bundled font and none of the machine's, so that the same drawing is the same pixels everywhere.

use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};
use std::sync::{Arc, OnceLock};

/// DejaVu Sans, cut to Latin, Greek, Cyrillic, punctuation, arrows and mathematical signs. See `fonts/README.md`.
const FONT: &[u8] = include_bytes!("../../fonts/DejaVuSans-subset.ttf");
const FAMILY: &str = "DejaVu Sans";
/// No picture is taller: a phone scrolls no further, and a drawing gone wrong takes no memory.
const TALLEST: f32 = 6_000.0;

/// The drawing, `width` pixels wide on white, as PNG with its size; none when it can not be drawn.
pub fn png(svg: &str, width: u32) -> Option<(Vec<u8>, u32, u32)> {
    let tree = Tree::from_str(svg, &options()).ok()?;
    let size = tree.size();
    let scale = width as f32 / size.width();
    let height = (size.height() * scale).ceil().clamp(1.0, TALLEST) as u32;
    let mut pixels = Pixmap::new(width, height)?;
    pixels.fill(Color::WHITE);
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    Some((pixels.encode_png().ok()?, width, height))
}

fn options() -> Options<'static> {
    static FONTS: OnceLock<Arc<fontdb::Database>> = OnceLock::new();
    let fonts = FONTS.get_or_init(|| {
        let mut fonts = fontdb::Database::new();
        fonts.load_font_data(FONT.to_vec());
        fonts.set_sans_serif_family(FAMILY);
        fonts.set_serif_family(FAMILY);
        fonts.set_monospace_family(FAMILY);
        Arc::new(fonts)
    });
    Options { fontdb: fonts.clone(), font_family: FAMILY.to_string(), ..Options::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_model::digest::Digest;

    const DRAWING: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" width="300" height="60"><rect width="120" height="20" fill="#246"/><text x="4" y="50" font-family="system-ui, sans-serif" font-size="20">Zeile: 0.871 → 0.878 ≤ Ж λ</text></svg>"##;

    #[test]
    fn a_drawing_is_the_same_pixels_everywhere() {
        let (bytes, width, height) = png(DRAWING, 600).unwrap();
        assert_eq!((width, height), (600, 120));
        assert_eq!(png(DRAWING, 600).unwrap().0, bytes);
        // Rounding differs between processors; how well PNG compresses differs with the build.
        if cfg!(target_arch = "x86_64") {
            let pixels = Pixmap::decode_png(&bytes).unwrap();
            assert_eq!(Digest::of(pixels.data()).short(), "9ff5521d9df1");
        }
    }

    #[test]
    fn text_is_drawn_with_the_bundled_font() {
        let without = DRAWING.split_once("<text").unwrap().0.to_string() + "</svg>";
        assert_ne!(png(DRAWING, 600), png(&without, 600));
    }

    #[test]
    fn what_is_no_drawing_gives_no_picture() {
        assert_eq!(png("<svg", 600), None);
        assert_eq!(png("", 600), None);
    }
}
