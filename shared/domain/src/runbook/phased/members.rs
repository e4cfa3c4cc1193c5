//! Members of an object that one type takes a part of and another the rest, read as they come, so that an error names its place.

use serde::Deserialize;
use serde::de::{DeserializeSeed, Error, IntoDeserializer, MapAccess};

/// The members of an object, the first of whose names was read already.
pub(super) struct Begun<A> {
    pub(super) name: Option<String>,
    pub(super) rest: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Begun<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        match self.name.take() {
            Some(name) => seed.deserialize(name.into_deserializer()).map(Some),
            None => self.rest.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.rest.next_value_seed(seed)
    }
}

/// The members of an object without one, which is kept aside.
pub struct Without<'a, A, T> {
    pub name: &'static str,
    pub found: &'a mut Option<T>,
    pub rest: A,
}

impl<'de, A: MapAccess<'de>, T: Deserialize<'de>> MapAccess<'de> for Without<'_, A, T> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        while let Some(name) = self.rest.next_key::<String>()? {
            if name != self.name {
                return seed.deserialize(name.into_deserializer()).map(Some);
            }
            if self.found.is_some() {
                return Err(A::Error::duplicate_field(self.name));
            }
            *self.found = Some(self.rest.next_value()?);
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.rest.next_value_seed(seed)
    }
}
