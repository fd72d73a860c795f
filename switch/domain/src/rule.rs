//! One shape for all parse errors: an enum of rules, each with a kebab-case name and a sentence. And one for reasons, which also
//! have a stored number, an order and somebody who must act.

/// Declares a `Copy` error enum whose every variant is a rule with a name (`rule()`) and a sentence (`Display`).
macro_rules! rules {
    ($(#[$meta:meta])* $name:ident { $($variant:ident => $rule:literal, $text:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $(#[doc = $text] $variant,)+
        }

        impl $name {
            /// The kebab-case name of the broken rule; stable, meant for machines.
            pub const fn rule(self) -> &'static str {
                match self {
                    $(Self::$variant => $rule,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(match self {
                    $(Self::$variant => $text,)+
                })
            }
        }

        impl std::error::Error for $name {}
    };
}

/// Declares an enum of reasons and its tables from one list, so that none can lack a name, an actor or a sentence.
macro_rules! reasons {
    ($(#[$meta:meta])* $type:ident { $($variant:ident = $number:literal, $name:literal, $actor:ident, $text:literal;)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum $type {
            $(#[doc = $text] $variant = $number,)+
        }

        impl $type {
            /// Every reason, in order of precedence.
            pub const ALL: &'static [$type] = &[$($type::$variant,)+];

            /// The reason of a stored number.
            pub const fn from_number(number: u16) -> Option<$type> {
                match number {
                    $($number => Some($type::$variant),)+
                    _ => None,
                }
            }

            /// Kebab-case name; stable, meant for machines.
            pub const fn name(self) -> &'static str {
                match self {
                    $($type::$variant => $name,)+
                }
            }

            /// Who has to act.
            pub const fn actor(self) -> $crate::reason::Actor {
                match self {
                    $($type::$variant => $crate::reason::Actor::$actor,)+
                }
            }

            /// One sentence for the outside; it tells nothing about the switch's inside.
            pub const fn text(self) -> &'static str {
                match self {
                    $($type::$variant => $text,)+
                }
            }

            /// The stored number.
            pub const fn code_number(self) -> u16 {
                self as u16
            }

            /// The reason of a kebab-case name.
            pub fn from_name(name: &str) -> Option<$type> {
                $type::ALL
                    .iter()
                    .copied()
                    .find(|reason| reason.name() == name)
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.name())
            }
        }
    };
}
