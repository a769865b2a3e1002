//! Splits the name of a column into words and finds its topics, in English and Turkish and in any
//! spelling: `InvoiceDate`, `FATURA TARİHİ`, `son_sipariş_tarihi`.

use crate::frame::input::letters::folded;

/// The words of a column name, in lower-case letters of the English alphabet.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnWords(Vec<String>);

/// What a name can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// Customers.
    Customer,
    /// Users and members, who need not be customers.
    Account,
    /// Identifiers, numbers, codes.
    Identifier,
    /// Dates and times.
    Date,
    /// The first of something.
    First,
    /// The last of something.
    Last,
    /// Orders, invoices, receipts.
    Order,
    /// Only invoices and receipts, which identify an order by their name alone.
    Invoice,
    /// Counts.
    Count,
    /// Money.
    Value,
    /// Totals, and prices, which may be totals.
    Total,
    /// Totals only.
    Sum,
    /// Cancelled or returned orders, and money not paid for goods, such as shipping and fees.
    Aside,
    /// Cancellations.
    Cancel,
    /// Number of pieces on an order line.
    Quantity,
    /// Prices per piece.
    Price,
    /// Means, rates, taxes and discounts, which are not totals.
    Mean,
    /// Sales channels.
    Channel,
    /// A single sales channel, such as online.
    OneChannel,
    /// Categories of articles.
    Category,
    /// Attributes of customers, such as country and gender.
    Attribute,
    /// Articles.
    Article,
    /// The status of an order.
    Status,
    /// What happens to an order after it was placed.
    Afterwards,
}

impl Topic {
    /// The beginnings of a topic's words; one that ends in `$` must be a whole word.
    fn words(self) -> &'static [&'static str] {
        match self {
            Self::Customer => &[
                "customer", "cust$", "client", "master", "buyer", "shopper", "member", "user",
                "consumer", "musteri", "uye", "alici", "kullanici", "cari",
            ],
            Self::Account => &["member", "user", "uye", "kullanici"],
            Self::Identifier => {
                &["id$", "ids$", "no$", "nr$", "number", "numara", "kod", "code", "key$"]
            }
            Self::Date => &[
                "date", "day$", "days$", "time", "tarih", "gun$", "gunu$", "zaman", "created",
                "placed", "olusturma",
            ],
            Self::First => &["first", "earliest", "ilk"],
            Self::Last => &["last", "latest", "recent$", "son", "ensonu"],
            Self::Order => &[
                "order", "purchase", "transaction", "invoice", "receipt", "basket", "siparis",
                "alisveris", "islem", "fatura", "fis", "satis", "frequency", "siklik",
            ],
            Self::Invoice => &["invoice", "receipt", "fatura", "fis", "basket", "belge"],
            Self::Count => {
                &["num", "count", "number", "sayi", "adet", "aded", "frequency", "siklik"]
            }
            Self::Value => &[
                "value", "spend", "spent", "revenue", "amount", "monetary", "sales", "turnover",
                "tutar", "ciro", "harcama", "deger", "bedel", "gelir", "hasilat",
            ],
            Self::Total => &["total", "sum$", "toplam", "price", "fiyat"],
            Self::Sum => &["total", "toplam", "sum$"],
            Self::Aside => &[
                "cancel", "iptal", "void$", "refund", "iade", "return", "shipping", "shipment",
                "freight", "delivery", "kargo", "teslimat", "tip$", "tips$", "bahsis", "fee$",
                "fees$",
            ],
            Self::Cancel => &["cancel", "iptal", "void$"],
            Self::Quantity => &["quantity", "qty", "units", "pieces", "adet", "aded", "miktar"],
            Self::Price => &["price", "fiyat", "unitprice", "birimfiyat"],
            Self::Mean => &[
                "avg", "average", "mean", "rate", "ratio", "share", "ortalama", "oran", "median",
                "max", "min$", "discount", "indirim", "iskonto", "tax", "vat$", "kdv",
            ],
            Self::Channel => &["channel", "kanal"],
            Self::OneChannel => &[
                "online", "offline", "store", "web", "shop", "app$", "mobile", "magaza",
                "internet", "mobil", "cevrimici", "cevrimdisi",
            ],
            Self::Category => &["categor", "kategori"],
            Self::Attribute => &[
                "country", "city", "region", "segment", "gender", "ulke", "sehir", "il$", "bolge",
                "cinsiyet", "zip", "postal", "postcode", "posta",
            ],
            Self::Article => &[
                "product", "item", "article", "sku", "stock", "description", "urun", "stok",
                "aciklama", "barkod", "barcode",
            ],
            Self::Afterwards => &[
                "approv", "deliver", "ship", "dispatch", "estimat", "carrier", "paid$", "payment",
                "updat", "modif", "refund", "return", "cancel", "onay", "teslim", "kargo", "sevk",
                "odeme", "iade", "iptal", "guncelle", "fulfil",
            ],
            Self::Status => &["status", "statu$", "state$", "durum"],
        }
    }
}

impl ColumnWords {
    /// Splits a name into words.
    pub fn of(name: &str) -> Self {
        let mut words: Vec<String> = Vec::new();
        let mut word = String::new();
        let mut before: Option<char> = None;
        for letter in name.chars() {
            let new_word = letter.is_uppercase() && before.is_some_and(char::is_lowercase);
            if new_word && !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            match folded(letter) {
                Some(' ') if !word.is_empty() => words.push(std::mem::take(&mut word)),
                Some(' ') | None => {}
                Some(plain) => word.push(plain),
            }
            before = Some(letter);
        }
        words.extend((!word.is_empty()).then_some(word));
        Self(words)
    }

    /// Whether the name is about a topic.
    pub fn about(&self, topic: Topic) -> bool {
        topic.words().iter().any(|known| self.0.iter().any(|word| is_word(word, known)))
    }

    /// Whether the name is about one of several topics.
    pub fn about_any(&self, topics: &[Topic]) -> bool {
        topics.iter().any(|topic| self.about(*topic))
    }

    /// Whether the name is about this topic only, as `id` is.
    pub fn is_only(&self, topic: Topic) -> bool {
        self.is_only_of(&[topic])
    }

    /// Whether every word of the name is about one of several topics.
    pub fn is_only_of(&self, topics: &[Topic]) -> bool {
        let known = || topics.iter().flat_map(|topic| topic.words());
        let is_about = |word: &String| known().any(|known| is_word(word, known));
        !self.0.is_empty() && self.0.iter().all(is_about)
    }

    /// Whether the name contains a digit, such as those of a year.
    pub fn has_number(&self) -> bool {
        self.0.iter().any(|word| word.bytes().any(|letter| letter.is_ascii_digit()))
    }

    /// Length of all words: the shortest of several candidates is the most general.
    pub fn length(&self) -> usize {
        self.0.iter().map(String::len).sum()
    }
}

/// Whether a word is, or contains, a known one. Names are often run together, as in `customerid`
/// and `musterino`, so other letters may follow a known word.
fn is_word(word: &str, known: &str) -> bool {
    match known.strip_suffix('$') {
        Some(whole) => word == whole || (word.len() > whole.len() + 3 && ends_glued(word, whole)),
        None => word.starts_with(known) || (known.len() > 3 && word.contains(known)),
    }
}

/// Whether a short word such as `id` ends a name that is run together. It must follow a word for
/// customers or orders, because many other words end in `id` and `no`.
fn ends_glued(word: &str, ending: &str) -> bool {
    let before = word.strip_suffix(ending).unwrap_or_default();
    let known = [Topic::Customer, Topic::Order].into_iter().flat_map(Topic::words);
    known.into_iter().any(|known| known.trim_end_matches('$') == before)
}

/// Words that negate a cancellation: refusals, negated Turkish verbs, as in `iptal edilmedi`, and
/// `cancellable`, which does not mean cancelled.
const NOT_CANCELLED: &[&str] = &[
    "not$", "non$", "no$", "none$", "never", "un$", "without", "reject", "denied", "refus",
    "cancellable", "cancelable", "degil", "yok", "hayir", "redd", "edilme", "edileme", "edilebil",
    "etme", "olma", "iptalsiz", "partial", "kismi",
];

/// Beginnings of words for orders that were cancelled, never paid, or paid back in full.
const CANCELLED: &[&str] = &[
    "cancel", "iptal", "void", "refunded", "failed", "declined", "trash", "holded", "storniert",
    "basarisiz", "odenmedi", "reddedildi",
];
/// Values of a column named after cancellations that mean yes.
const YES: &[&str] = &["1", "true", "t", "yes", "y", "x", "evet", "e", "dogru", "var"];

/// Whether a value of a column that asks whether an order was cancelled means yes.
pub fn says_yes(value: &str) -> bool {
    let words = ColumnWords::of(value).0;
    words.len() == 1 && YES.contains(&words[0].as_str())
}

/// Whether a value of a status column says that the order was cancelled, or was never paid or paid
/// back in full.
pub fn says_cancelled(value: &str) -> bool {
    let words = ColumnWords::of(value).0;
    let begins = |known: &str| match known.strip_suffix('$') {
        Some(whole) => words.iter().any(|word| word == whole),
        None => words.iter().any(|word| word.starts_with(known)),
    };
    let any = |known: &[&str]| known.iter().copied().any(begins);
    let unpaid = any(&["payment", "odeme"])
        && any(&["pending", "await", "error", "fail", "expired", "bekl", "hata"]);
    (any(CANCELLED) || unpaid) && !any(NOT_CANCELLED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_folded_however_they_are_written() {
        for name in ["müşteri_no", "MÜŞTERİ NO", "MusteriNo", "mu\u{308}s\u{327}teri no"] {
            assert_eq!(
                ColumnWords::of(name),
                ColumnWords(vec!["musteri".into(), "no".into()]),
                "{name}"
            );
        }
        assert_eq!(ColumnWords::of("İLK SİPARİŞ TARİHİ"), ColumnWords::of("ilk_siparis_tarihi"));
        assert_eq!(ColumnWords::of("SATIŞ TUTARI"), ColumnWords::of("satis_tutari"));
        assert_eq!(ColumnWords::of("InvoiceDate"), ColumnWords::of("invoice date"));
    }

    #[test]
    fn topics_of_names() {
        let about = |name: &str, topic| ColumnWords::of(name).about(topic);
        assert!(about("customerid", Topic::Identifier));
        assert!(about("musterino", Topic::Customer));
        assert!(!about("paid", Topic::Identifier));
        assert!(!about("casino", Topic::Identifier));
        assert!(about("son_siparis_tarihi", Topic::Last));
        assert!(about("sipariş_sayısı", Topic::Count));
        assert!(about("birim_fiyat", Topic::Price));
        assert!(about("UnitPrice", Topic::Price));
        assert!(!about("order_channel", Topic::Category));
    }

    #[test]
    fn cancellations_in_words() {
        assert!(says_cancelled("İPTAL EDİLDİ"));
        assert!(says_cancelled("Cancelled"));
        assert!(says_cancelled("pending_payment") && says_cancelled("Ödeme Bekliyor"));
        assert!(!says_cancelled("pending") && !says_cancelled("Kargo bekliyor"));
        assert!(!says_cancelled("partially_refunded"));
        assert!(!says_cancelled("completed"));
        for value in [
            "not cancelled",
            "Non-cancelled",
            "uncancelled",
            "no cancellation",
            "İptal edilmedi",
            "iptal değil",
            "İPTAL YOK",
            "iptal edilemez",
        ] {
            assert!(!says_cancelled(value), "{value}");
        }
    }
}
