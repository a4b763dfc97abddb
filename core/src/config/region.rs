//! The regions of the world in which relays may be.

/// A region, by its name: that of Cloudflare's location hint.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Region {
    name: &'static str,
    /// A place in the midst of its data centres.
    middle: Coordinates,
}

/// A place on the globe, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coordinates {
    latitude: f64,
    longitude: f64,
}

const REGIONS: [Region; 9] = [
    region("wnam", 37.4, -121.9),
    region("enam", 39.0, -77.5),
    region("sam", -23.5, -46.6),
    region("weur", 50.1, 4.5),
    region("eeur", 50.1, 19.9),
    region("apac", 14.6, 111.0),
    region("oc", -33.9, 151.2),
    region("afr", -26.2, 28.0),
    region("me", 25.2, 55.3),
];

/// Continents, by their codes, and where most of those who live there are.
const CONTINENTS: [(&str, Coordinates); 7] = [
    ("AF", place(6.0, 20.0)),
    ("AN", place(-80.0, 0.0)),
    ("AS", place(25.0, 95.0)),
    ("EU", place(50.0, 12.0)),
    ("NA", place(39.0, -90.0)),
    ("OC", place(-34.0, 148.0)),
    ("SA", place(-15.0, -58.0)),
];

const fn region(name: &'static str, latitude: f64, longitude: f64) -> Region {
    Region { name, middle: place(latitude, longitude) }
}

const fn place(latitude: f64, longitude: f64) -> Coordinates {
    Coordinates { latitude, longitude }
}

impl Region {
    /// The region with this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        REGIONS.into_iter().find(|region| region.name == name)
    }

    /// The names of all regions.
    pub(super) fn names() -> [&'static str; REGIONS.len()] {
        REGIONS.map(|region| region.name)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// These regions, those that are nearest to a client first: in the order given, if nobody knows where the
    /// client is.
    #[must_use]
    pub fn nearest_first(regions: &[Self], client: Option<Coordinates>) -> Vec<Self> {
        let mut sorted = regions.to_vec();
        if let Some(client) = client {
            let nearness = |region: &Self| region.middle.nearness(client);
            sorted.sort_by(|one, other| nearness(other).total_cmp(&nearness(one)));
        }
        sorted
    }
}

impl Coordinates {
    /// Where a client is, as its platform says in texts: by degrees, or only by the code of a continent.
    #[must_use]
    pub fn of_client(
        latitude: Option<&str>,
        longitude: Option<&str>,
        continent: Option<&str>,
    ) -> Option<Self> {
        let degrees =
            |text: Option<&str>| text?.parse::<f64>().ok().filter(|degrees| degrees.abs() <= 180.0);
        match (degrees(latitude), degrees(longitude)) {
            (Some(latitude), Some(longitude)) => Some(Self { latitude, longitude }),
            _ => CONTINENTS.iter().find(|(code, _)| Some(*code) == continent).map(|(_, it)| *it),
        }
    }

    /// How near two places are: the cosine of the angle between them, as seen from the middle of the earth.
    fn nearness(self, other: Self) -> f64 {
        let [one, other] = [self, other].map(Self::direction);
        one.into_iter().zip(other).map(|(one, other)| one * other).sum()
    }

    /// The way there from the middle of the earth.
    fn direction(self) -> [f64; 3] {
        let (latitude, longitude) = (self.latitude.to_radians(), self.longitude.to_radians());
        let radius = latitude.cos();
        [radius * longitude.cos(), radius * longitude.sin(), latitude.sin()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &str) -> Vec<Region> {
        names.split(' ').map(|name| Region::named(name).unwrap()).collect()
    }

    fn order(names: &str, client: Option<Coordinates>) -> String {
        let sorted = Region::nearest_first(&named(names), client);
        sorted.iter().map(Region::name).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn clients_are_sent_to_the_nearest_region() {
        let all = Region::names().join(" ");
        for (city, latitude, longitude, nearest) in [
            ("San Francisco", 37.77, -122.42, "wnam"),
            ("Denver", 39.74, -104.99, "wnam"),
            ("New York", 40.71, -74.01, "enam"),
            ("Chicago", 41.88, -87.63, "enam"),
            ("São Paulo", -23.55, -46.63, "sam"),
            ("London", 51.51, -0.13, "weur"),
            ("Madrid", 40.42, -3.70, "weur"),
            ("Warsaw", 52.23, 21.01, "eeur"),
            ("Singapore", 1.35, 103.82, "apac"),
            ("Tokyo", 35.68, 139.69, "apac"),
            ("Auckland", -36.85, 174.76, "oc"),
            ("Johannesburg", -26.20, 28.05, "afr"),
            ("Dubai", 25.20, 55.27, "me"),
        ] {
            let client = Some(place(latitude, longitude));
            let order = order(&all, client);
            assert_eq!(order.split(' ').next(), Some(nearest), "{city}: {order}");
        }
    }

    #[test]
    fn the_nearest_of_those_that_are_named_comes_first() {
        let sydney = Some(place(-33.87, 151.21));
        assert_eq!(order("weur enam apac", sydney), "apac enam weur");
        // Over the Pacific, where degrees jump from 180 to -180.
        let fiji = Some(place(-18.14, 178.44));
        assert_eq!(order("weur wnam", fiji), "wnam weur");
    }

    #[test]
    fn a_client_is_where_its_platform_says() {
        let of = Coordinates::of_client;
        assert_eq!(of(Some("48.2"), Some("-16.4"), None), Some(place(48.2, -16.4)));
        let europe = of(None, None, Some("EU"));
        assert_eq!(order("apac enam weur", europe), "weur enam apac");
        assert_eq!(of(Some("48.2"), None, Some("EU")), europe);
        assert_eq!(of(Some("north"), Some("NaN"), Some("EU")), europe);
        // Tor, and workerd on a developer's machine.
        for nowhere in [of(None, None, None), of(None, None, Some("T1"))] {
            assert_eq!(order("apac weur enam", nowhere), "apac weur enam");
        }
    }
}
