//! Second deliveries, made from the bundled rows. The bundled data is real; these are it with one thing changed, as their names
//! say, the same at every call.

use crate::args::Delivery;
use anyhow::Context as _;
use csv::StringRecord;

/// Chicago taxi trips; origin, licence and the City's disclaimer are in `config/samples/taxi/README.md`.
pub const BUNDLED: &[u8] = include_bytes!("../../../../config/samples/taxi/taxi_big_tipper.csv");

/// How many rows `NewRows` adds: 2 % of the bundled ones, drawn from them.
const NEW_ROWS: usize = 308;

/// The delivery's file content.
///
/// # Errors
/// When the bundled data lacks a column, which a test rules out.
pub fn make(delivery: Delivery) -> anyhow::Result<Vec<u8>> {
    let mut reader = csv::Reader::from_reader(BUNDLED);
    let header = reader.headers()?.clone();
    let rows: Vec<StringRecord> = reader.into_records().collect::<Result<_, _>>()?;
    let column = |name: &str| {
        header.iter().position(|column| column == name).with_context(|| format!("bundled data has no column {name}"))
    };
    match delivery {
        Delivery::Drift => {
            let fare = column("fare")?;
            let shift =
                |text: &str| text.parse::<f64>().map_or(text.to_string(), |fare| format!("{:.2}", fare * 1.8 + 3.0));
            write(&header, rows.iter().map(|row| with(row, fare, &shift)))
        }
        Delivery::DroppedColumn => {
            let dropped = column("trip_miles")?;
            write(&without(&header, dropped), rows.iter().map(|row| without(row, dropped)))
        }
        Delivery::NewCategory => {
            let payment = column("payment_type")?;
            let pay = |index: usize, row: &StringRecord| match index % 20 {
                0 => with(row, payment, &|_| "Bitcoin".to_string()),
                _ => row.clone(),
            };
            write(&header, rows.iter().enumerate().map(|(index, row)| pay(index, row)))
        }
        Delivery::NewRows => {
            let mut draw = Draws(7);
            let drawn = (0..NEW_ROWS).map(|_| rows[draw.below(rows.len())].clone());
            write(&header, rows.iter().cloned().chain(drawn))
        }
    }
}

fn with(row: &StringRecord, column: usize, change: &dyn Fn(&str) -> String) -> StringRecord {
    row.iter().enumerate().map(|(index, cell)| if index == column { change(cell) } else { cell.to_string() }).collect()
}

fn without(row: &StringRecord, column: usize) -> StringRecord {
    row.iter().enumerate().filter(|(index, _)| *index != column).map(|(_, cell)| cell).collect()
}

fn write(header: &StringRecord, rows: impl Iterator<Item = StringRecord>) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header)?;
    for row in rows {
        writer.write_record(&row)?;
    }
    writer.into_inner().map_err(|error| anyhow::anyhow!("write delivery: {}", error.error()))
}

/// SplitMix64 (Steele, Lea and Flood, 2014): the same draws at every call.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        // The remainder is below `bound`, so it fits.
        usize::try_from(mixed % bound as u64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(delivery: Delivery) -> (StringRecord, Vec<StringRecord>) {
        let bytes = make(delivery).unwrap();
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let header = reader.headers().unwrap().clone();
        (header, reader.into_records().collect::<Result<_, _>>().unwrap())
    }

    #[test]
    fn each_delivery_changes_what_its_name_says() {
        let (header, rows) = read(Delivery::Drift);
        let fare = header.iter().position(|name| name == "fare").unwrap();
        assert_eq!(rows.len(), 15_002);
        assert_eq!(&rows[0][fare], "25.41"); // 12.45 * 1.8 + 3
        let (header, rows) = read(Delivery::DroppedColumn);
        assert!(header.iter().all(|name| name != "trip_miles"));
        assert_eq!((header.len(), rows[0].len()), (18, 18));
        let (header, rows) = read(Delivery::NewCategory);
        let payment = header.iter().position(|name| name == "payment_type").unwrap();
        assert_eq!(rows.iter().filter(|row| &row[payment] == "Bitcoin").count(), 751);
        assert_eq!(read(Delivery::NewRows).1.len(), 15_310);
        assert_eq!(make(Delivery::NewRows).unwrap(), make(Delivery::NewRows).unwrap());
    }
}
