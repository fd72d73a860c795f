//! CRC-16/CCITT-FALSE: polynomial 0x1021, start 0xFFFF, no reflection, no final xor (ISO/IEC 13239, EMVCo 4.7.3).

/// The checksum of `bytes`.
pub fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xffff, |crc, &byte| {
        let mut crc: u16 = crc ^ (u16::from(byte) << 8);
        for _ in 0..8 {
            let carry = crc & 0x8000 != 0;
            crc <<= 1;
            if carry {
                crc ^= 0x1021;
            }
        }
        crc
    })
}
