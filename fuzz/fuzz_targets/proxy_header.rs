//! PROXY headers from strangers: no panic, the same answer for any split, and what is written of what was read is read as
//! the same.
#![no_main]

use lb_preface::Step;
use lb_preface::proxy::{self, Addresses, Command, Limits, Outgoing, Tlv, Transport};
use libfuzzer_sys::fuzz_target;

// The first byte says where the rest is cut.
fuzz_target!(|data: &[u8]| {
    let Some((cut, input)) = data.split_first() else { return };
    let limits = Limits::default();
    let whole = proxy::parse(input, limits);
    let begun = &input[..input.len().min(usize::from(*cut))];
    match proxy::parse(begun, limits) {
        Ok(Step::NeedMore) => {}
        answer => assert_eq!(answer, whole),
    }
    let (header, len) = match whole {
        Ok(Step::Done { value, len }) => (value, len),
        Ok(Step::NeedMore) => return,
        Err(error) => return assert!(error.to_string().is_ascii()),
    };
    assert!(len <= input.len() && len <= limits.header_bytes);
    let facts = header.facts();
    assert!(header.command() == Command::Proxy || header.addresses() == Addresses::Unknown);

    let checksum = facts.is_checked;
    let tlvs: Vec<Tlv<'_>> = header.tlvs().filter(|tlv| !matches!(tlv, Tlv::Checksum(_))).collect();
    let outgoing = Outgoing {
        addresses: header.addresses(),
        transport: header.transport().unwrap_or(Transport::Stream),
        tlvs: &tlvs,
        checksum,
    };
    let mut out = Vec::new();
    if proxy::write_v2(&outgoing, &mut out).is_err() {
        assert!(len > proxy::MOST_WRITTEN, "short headers can be written: {len}");
        return;
    }
    let Ok(Step::Done { value: again, len }) = proxy::parse(&out, limits) else {
        panic!("what was written is read");
    };
    assert_eq!(len, out.len());
    assert_eq!(again.transport(), header.transport());
    // Families that differ became one.
    assert_eq!(again.addresses(), header.addresses());
    assert!(again.tlvs().filter(|tlv| !matches!(tlv, Tlv::Checksum(_))).eq(tlvs));
    assert_eq!(again.facts(), facts);
    out.clear();
    proxy::write_v1(&header.addresses(), &mut out);
    assert!(matches!(proxy::parse(&out, limits), Ok(Step::Done { value, .. })
        if value.addresses().source() == header.addresses().source()));
});
