//! A layout that is nothing but fields in a row.

/// Declares the layout of a struct: its fields in the order they are written, each with its name in docs/facts.md. A field
/// that is missing here does not compile.
macro_rules! fields {
    ($($type:ty { $($field:ident: $name:literal,)+ })+) => {$(
        impl crate::codec::Layout for $type {
            fn put(&self, writer: &mut crate::codec::Writer<'_>) {
                $(writer.put(&self.$field);)+
            }

            fn take(
                reader: &mut crate::codec::Reader<'_>,
                _field: &'static str,
            ) -> Result<Self, crate::codec::FactsError> {
                Ok(Self { $($field: reader.field($name)?,)+ })
            }
        }
    )+};
}
