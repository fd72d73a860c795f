mod answers;
mod letters;
mod requests;
mod rig;
