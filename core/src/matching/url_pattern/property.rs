//! The Unicode properties that `\p{…}` names, as sets of ASCII characters.
//!
//! ECMA-262, "Static Semantics: UnicodeMatchProperty" and "UnicodeMatchPropertyValue", whose names
//! are compared as they are written. The tables group them by the ASCII characters that have them;
//! they are those of Unicode 17.0, and no later version changes which ASCII characters have a
//! property that exists.

use super::characters::Characters;

/// The ASCII characters that have the property between the braces; `None` if there is no such
/// property.
pub(super) fn property(expression: &str) -> Option<Characters> {
    match expression.split_once('=') {
        Some(("General_Category" | "gc", value)) => find(&GENERAL_CATEGORIES, value),
        // No ASCII character belongs to one script and is also used in others.
        Some(("Script" | "sc" | "Script_Extensions" | "scx", value)) => find(&SCRIPTS, value),
        Some(_) => None,
        None => {
            find(&GENERAL_CATEGORIES, expression).or_else(|| find(&BINARY_PROPERTIES, expression))
        }
    }
}

fn find(table: &[(&str, u128)], name: &str) -> Option<Characters> {
    let row = table.iter().find(|(names, _)| names.split(' ').any(|known| known == name))?;
    Some(Characters::of_bits(row.1))
}

static GENERAL_CATEGORIES: [(&str, u128); 17] = [
    ("L Letter LC Cased_Letter", 0x07fffffe_07fffffe_00000000_00000000),
    ("Lu Uppercase_Letter", 0x00000000_07fffffe_00000000_00000000),
    ("Ll Lowercase_Letter", 0x07fffffe_00000000_00000000_00000000),
    (
        "Lt Titlecase_Letter Lm Modifier_Letter Lo Other_Letter M Mark Combining_Mark Mn \
         Nonspacing_Mark Mc Spacing_Mark Me Enclosing_Mark Nl Letter_Number No Other_Number \
         Pi Initial_Punctuation Pf Final_Punctuation So Other_Symbol Zl Line_Separator Zp \
         Paragraph_Separator Cf Format Cs Surrogate Co Private_Use Cn Unassigned",
        0x00000000_00000000_00000000_00000000,
    ),
    ("N Number Nd Decimal_Number digit", 0x00000000_00000000_03ff0000_00000000),
    ("P Punctuation punct", 0x28000000_b8000001_8c00f7ee_00000000),
    ("Pc Connector_Punctuation", 0x00000000_80000000_00000000_00000000),
    ("Pd Dash_Punctuation", 0x00000000_00000000_00002000_00000000),
    ("Ps Open_Punctuation", 0x08000000_08000000_00000100_00000000),
    ("Pe Close_Punctuation", 0x20000000_20000000_00000200_00000000),
    ("Po Other_Punctuation", 0x00000000_10000001_8c00d4ee_00000000),
    ("S Symbol", 0x50000001_40000000_70000810_00000000),
    ("Sm Math_Symbol", 0x50000000_00000000_70000800_00000000),
    ("Sc Currency_Symbol", 0x00000000_00000000_00000010_00000000),
    ("Sk Modifier_Symbol", 0x00000001_40000000_00000000_00000000),
    ("Z Separator Zs Space_Separator", 0x00000000_00000000_00000001_00000000),
    ("C Other Cc Control cntrl", 0x80000000_00000000_00000000_ffffffff),
];

static BINARY_PROPERTIES: [(&str, u128); 20] = [
    ("ASCII Any Assigned", 0xffffffff_ffffffff_ffffffff_ffffffff),
    ("ASCII_Hex_Digit AHex Hex_Digit Hex", 0x0000007e_0000007e_03ff0000_00000000),
    (
        "Alphabetic Alpha Cased Changes_When_Casemapped CWCM ID_Start IDS XID_Start XIDS",
        0x07fffffe_07fffffe_00000000_00000000,
    ),
    (
        "Bidi_Control Bidi_C Default_Ignorable_Code_Point DI Deprecated Dep Emoji_Modifier \
         EMod Emoji_Modifier_Base EBase Emoji_Presentation EPres Extended_Pictographic \
         ExtPict Extender Ext Grapheme_Extend Gr_Ext IDS_Binary_Operator IDSB \
         IDS_Trinary_Operator IDST Ideographic Ideo Join_Control Join_C \
         Logical_Order_Exception LOE Noncharacter_Code_Point NChar Radical \
         Regional_Indicator RI Unified_Ideograph UIdeo Variation_Selector VS",
        0x00000000_00000000_00000000_00000000,
    ),
    ("Bidi_Mirrored Bidi_M", 0x28000000_28000000_50000300_00000000),
    ("Case_Ignorable CI", 0x00000001_40000000_04004080_00000000),
    (
        "Changes_When_Casefolded CWCF Changes_When_Lowercased CWL \
         Changes_When_NFKC_Casefolded CWKCF Uppercase Upper",
        0x00000000_07fffffe_00000000_00000000,
    ),
    (
        "Changes_When_Titlecased CWT Changes_When_Uppercased CWU Lowercase Lower",
        0x07fffffe_00000000_00000000_00000000,
    ),
    ("Dash", 0x00000000_00000000_00002000_00000000),
    ("Diacritic Dia", 0x00000001_40000000_00000000_00000000),
    ("Emoji Emoji_Component EComp", 0x00000000_00000000_03ff0408_00000000),
    ("Grapheme_Base Gr_Base", 0x7fffffff_ffffffff_ffffffff_00000000),
    ("ID_Continue IDC XID_Continue XIDC", 0x07fffffe_87fffffe_03ff0000_00000000),
    ("Math", 0x50000000_40000000_70000800_00000000),
    ("Pattern_Syntax Pat_Syn", 0x78000001_78000001_fc00fffe_00000000),
    ("Pattern_White_Space Pat_WS White_Space space", 0x00000000_00000000_00000001_00003e00),
    ("Quotation_Mark QMark", 0x00000000_00000000_00000084_00000000),
    ("Sentence_Terminal STerm", 0x00000000_00000000_80004002_00000000),
    ("Soft_Dotted SD", 0x00000600_00000000_00000000_00000000),
    ("Terminal_Punctuation Term", 0x00000000_00000000_8c005002_00000000),
];

static SCRIPTS: [(&str, u128); 3] = [
    (
        "Adlam Adlm Aghb Ahom Anatolian_Hieroglyphs Arab Arabic Armenian Armi Armn Avestan \
         Avst Bali Balinese Bamu Bamum Bass Bassa_Vah Batak Batk Beng Bengali Bhaiksuki \
         Bhks Bopo Bopomofo Brah Brahmi Brai Braille Bugi Buginese Buhd Buhid Cakm \
         Canadian_Aboriginal Cans Cari Carian Caucasian_Albanian Chakma Cham Cher Cherokee \
         Chorasmian Chrs Copt Coptic Cpmn Cprt Cuneiform Cypriot Cypro_Minoan Cyrillic Cyrl \
         Deseret Deva Devanagari Diak Dives_Akuru Dogr Dogra Dsrt Dupl Duployan Egyp \
         Egyptian_Hieroglyphs Elba Elbasan Elym Elymaic Ethi Ethiopic Gara Garay Geor \
         Georgian Glag Glagolitic Gong Gonm Goth Gothic Gran Grantha Greek Grek Gujarati \
         Gujr Gukh Gunjala_Gondi Gurmukhi Guru Gurung_Khema Han Hang Hangul Hani \
         Hanifi_Rohingya Hano Hanunoo Hatr Hatran Hebr Hebrew Hira Hiragana Hluw Hmng Hmnp \
         Hung Imperial_Aramaic Inherited Inscriptional_Pahlavi Inscriptional_Parthian Ital \
         Java Javanese Kaithi Kali Kana Kannada Katakana Kawi Kayah_Li Khar Kharoshthi \
         Khitan_Small_Script Khmer Khmr Khoj Khojki Khudawadi Kirat_Rai Kits Knda Krai Kthi \
         Lana Lao Laoo Lepc Lepcha Limb Limbu Lina Linb Linear_A Linear_B Lisu Lyci Lycian \
         Lydi Lydian Mahajani Mahj Maka Makasar Malayalam Mand Mandaic Mani Manichaean Marc \
         Marchen Masaram_Gondi Medefaidrin Medf Meetei_Mayek Mend Mende_Kikakui Merc Mero \
         Meroitic_Cursive Meroitic_Hieroglyphs Miao Mlym Modi Mong Mongolian Mro Mroo Mtei \
         Mult Multani Myanmar Mymr Nabataean Nag_Mundari Nagm Nand Nandinagari Narb Nbat \
         New_Tai_Lue Newa Nko Nkoo Nshu Nushu Nyiakeng_Puachue_Hmong Ogam Ogham Ol_Chiki \
         Ol_Onal Olck Old_Hungarian Old_Italic Old_North_Arabian Old_Permic Old_Persian \
         Old_Sogdian Old_South_Arabian Old_Turkic Old_Uyghur Onao Oriya Orkh Orya Osage \
         Osge Osma Osmanya Ougr Pahawh_Hmong Palm Palmyrene Pau_Cin_Hau Pauc Perm Phag \
         Phags_Pa Phli Phlp Phnx Phoenician Plrd Prti Psalter_Pahlavi Qaac Qaai Rejang Rjng \
         Rohg Runic Runr Samaritan Samr Sarb Saur Saurashtra Sgnw Sharada Shavian Shaw Shrd \
         Sidd Siddham SignWriting Sind Sinh Sinhala Sogd Sogdian Sogo Sora Sora_Sompeng \
         Soyo Soyombo Sund Sundanese Sunu Sunuwar Sylo Syloti_Nagri Syrc Syriac Tagalog \
         Tagb Tagbanwa Tai_Le Tai_Tham Tai_Viet Takr Takri Tale Talu Tamil Taml Tang Tangsa \
         Tangut Tavt Telu Telugu Tfng Tglg Thaa Thaana Thai Tibetan Tibt Tifinagh Tirh \
         Tirhuta Tnsa Todhri Todr Toto Tulu_Tigalari Tutg Ugar Ugaritic Unknown Vai Vaii \
         Vith Vithkuqi Wancho Wara Warang_Citi Wcho Xpeo Xsux Yezi Yezidi Yi Yiii \
         Zanabazar_Square Zanb Zinh Zzzz",
        0x00000000_00000000_00000000_00000000,
    ),
    ("Common Zyyy", 0xf8000001_f8000001_ffffffff_ffffffff),
    ("Latin Latn", 0x07fffffe_07fffffe_00000000_00000000),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(expression: &str) -> Option<String> {
        let set = property(expression)?;
        Some((0..128).filter(|byte| set.contains(*byte)).map(char::from).collect())
    }

    #[test]
    fn names_are_those_of_ecmascript() {
        let upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        for expression in ["Lu", "gc=Lu", "General_Category=Uppercase_Letter", "Uppercase"] {
            assert_eq!(texts(expression).as_deref(), Some(upper), "{expression}");
        }
        for (expression, expected) in [
            ("Nd", "0123456789"),
            ("Pd", "-"),
            ("Emoji", "#*0123456789"),
            ("sc=Cyrl", ""),
            ("Script_Extensions=Greek", ""),
            ("Math", "+<=>^|~"),
        ] {
            assert_eq!(texts(expression).as_deref(), Some(expected), "{expression}");
        }
        assert_eq!(property("L"), property("sc=Latin"));
        assert_eq!(property("Any"), Some(Characters::default().complement()));
        for none in
            ["", "l", "lu", "L ", "Latin", "sc=", "sc=latin", "Block=Thai", "gc=Emoji", "L=L"]
        {
            assert_eq!(property(none), None, "{none}");
        }
    }
}
