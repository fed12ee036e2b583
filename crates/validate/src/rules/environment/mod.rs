//! Rules that compare the environments of an app: unexpected differences, and unexpected similarities.
//!
//! The counterpart of an object in another environment is the object with the same kind and name. Namespaces are
//! ignored, and so is the environment's name within a name (`shop-dev`).

mod addresses;
mod counterparts;
mod hints;
mod keyed_objects;
mod namespaces;
mod placeholder_index;
mod shared;

rules! {
    foreign_path,
    missing_key,
    missing_object,
    missing_placeholder,
    misspelled_name,
    same_secret,
}
