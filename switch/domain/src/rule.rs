//! One shape for all parse errors: an enum of rules, each with a kebab-case name and a sentence.

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
