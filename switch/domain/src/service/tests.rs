use super::*;

#[test]
fn numbers_names_and_places_agree() {
    for (place, service) in Service::ALL.into_iter().enumerate() {
        assert_eq!(Service::from_number(service.number()), Some(service));
        assert_eq!(Service::from_name(service.name()), Some(service));
        assert_eq!(service.index(), place);
    }
    assert_eq!(Service::from_number(0), None);
    assert_eq!(Service::from_name("c2c"), None);
}

#[test]
fn codes_of_the_national_usage() {
    let codes = Service::ALL.map(Service::local_instrument);
    assert_eq!(codes, ["C2C2", "C2C2", "M2M2", "C2B2"]);
}
