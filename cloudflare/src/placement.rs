//! Which relays a subscriber is sent to: those of the region that is nearest, if regions are named.

use cinnabar_core::Config;
use cinnabar_core::config::{Coordinates, Region};
use wasm_bindgen::JsCast;
use worker::worker_sys::ext::RequestExt as _;
use worker::{Env, Result, web_sys};

use crate::platform;

/// How many relays a subscriber is sent to while they are full, or do not answer.
const TRIES: usize = 3;

/// One of the relays.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placement {
    region: Option<Region>,
    number: u32,
}

/// The relays to try, in turn: any of the nearest region, and from there on the next.
pub(crate) fn of(
    request: &web_sys::Request,
    config: &Config,
) -> Result<impl Iterator<Item = Placement> + use<>> {
    let relays = config.relays();
    let first = u32::from_le_bytes(platform::entropy()?);
    let regions: Vec<Option<Region>> = match config.relay_regions() {
        // The runtime chooses.
        [] => vec![None],
        named => Region::nearest_first(named, coordinates(request)).into_iter().map(Some).collect(),
    };
    let all = regions.into_iter().flat_map(move |region| {
        (0..relays).map(move |next| Placement { region, number: (first % relays + next) % relays })
    });
    Ok(all.take(TRIES))
}

impl Placement {
    /// Its object. It has to be asked for anew after it was lost.
    pub(crate) fn stub<T: JsCast>(self, env: &Env) -> Result<T> {
        let (relays, name) = (env.durable_object("RELAY_OBJECT")?, self.name());
        let stub = match self.region {
            // It counts when the object is made, the first time that it is asked for.
            Some(region) => relays.get_by_name_with_location_hint(&name, region.name()),
            None => relays.get_by_name(&name),
        };
        Ok(stub?.into_rpc())
    }

    pub(crate) fn name(self) -> String {
        match self.region {
            Some(region) => format!("relay {} {}", region.name(), self.number),
            None => format!("relay {}", self.number),
        }
    }
}

/// Where the client is, as far as Cloudflare knows.
fn coordinates(request: &web_sys::Request) -> Option<Coordinates> {
    let cf = request.cf()?;
    let known = |text: std::result::Result<Option<String>, _>| text.ok().flatten();
    let (latitude, longitude) = (known(cf.latitude()), known(cf.longitude()));
    let continent = known(cf.continent());
    Coordinates::of_client(latitude.as_deref(), longitude.as_deref(), continent.as_deref())
}
