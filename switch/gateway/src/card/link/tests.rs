mod echo;
mod rig;
mod sign_on;
