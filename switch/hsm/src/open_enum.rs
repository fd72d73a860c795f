//! Codes from outside: the known ones by name, every other one kept as it came.

/// An enum over the codes of a table; a code that is not in it survives as `Other`.
macro_rules! open_enum {
    (
        $(#[$outer:meta])*
        $name:ident($code:ty) {
            $($number:tt $variant:ident $text:literal)*
        }
    ) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $(#[doc = $text] $variant,)*
            /// A code that this version does not know, as it came.
            Other($code),
        }

        impl $name {
            /// Every code known by name, in the order of the table.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// The code on the wire.
            pub fn code(self) -> $code {
                match self {
                    $($name::$variant => $number,)*
                    $name::Other(code) => code,
                }
            }

            /// Reads a code; one that is not in the table becomes `Other`.
            pub fn from_code(code: $code) -> $name {
                match code {
                    $($number => $name::$variant,)*
                    other => $name::Other(other),
                }
            }

            /// What it means, in one sentence.
            pub fn text(self) -> &'static str {
                match self {
                    $($name::$variant => $text,)*
                    $name::Other(_) => "A code that this version does not know.",
                }
            }
        }
    };
}
