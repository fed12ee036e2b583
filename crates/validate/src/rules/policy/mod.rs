//! Rules about validating admission policies: whether they are valid, and whether the objects of the set pass them.
//!
//! Messages contain texts of policies, and must never quote a value of an object.

mod matching;
mod names;
mod object;

rules! {
    admission,
    definition,
}
