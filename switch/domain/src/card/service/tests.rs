use super::*;

#[test]
fn numbers_and_names_lead_back() {
    for service in CardService::ALL {
        assert_eq!(CardService::from_number(service.number()), Some(*service));
        assert_eq!(CardService::from_name(service.name()), Some(*service));
        assert_eq!(CardService::ALL[service.index()], *service);
    }
    for channel in Channel::ALL {
        assert_eq!(Channel::from_number(channel.number()), Some(*channel));
        assert_eq!(Channel::ALL[channel.index()], *channel);
    }
    for mode in EntryMode::ALL {
        assert_eq!(EntryMode::from_number(mode.number()), Some(*mode));
        assert_eq!(EntryMode::from_name(mode.name()), Some(*mode));
    }
    assert_eq!(CardService::from_number(0), None);
}

#[test]
fn bits_differ_and_only_movements_between_banks_have_a_direction() {
    let all = CardService::ALL
        .iter()
        .fold(0, |set, service| set ^ service.bit());
    assert_eq!(all.count_ones() as usize, CardService::ALL.len());
    for service in CardService::ALL {
        assert!(service.has_amount() || service.direction() == Direction::None);
    }
    let channels = Channel::ALL
        .iter()
        .fold(0, |set, channel| set ^ channel.bit());
    assert_eq!(channels.count_ones() as usize, Channel::ALL.len());
}
