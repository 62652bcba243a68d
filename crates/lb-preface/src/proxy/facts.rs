use super::{Ssl, Tlv, Tlvs};

/// The TLVs of a header by name, for logs and rules. Of one that comes twice, the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Facts<'a> {
    /// [`Tlv::Alpn`].
    pub alpn: Option<&'a [u8]>,
    /// [`Tlv::Authority`].
    pub authority: Option<&'a [u8]>,
    /// [`Tlv::UniqueId`].
    pub unique_id: Option<&'a [u8]>,
    /// [`Tlv::Ssl`].
    pub ssl: Option<Ssl<'a>>,
    /// [`Tlv::Namespace`].
    pub namespace: Option<&'a [u8]>,
    /// [`Tlv::AwsVpcEndpoint`].
    pub aws_vpc_endpoint: Option<&'a [u8]>,
    /// [`Tlv::AzureLinkId`].
    pub azure_link_id: Option<u32>,
    /// [`Tlv::GooglePscConnection`].
    pub google_psc_connection: Option<u64>,
    /// Whether the header had a checksum (a wrong one is an error).
    pub is_checked: bool,
}

impl<'a> Facts<'a> {
    pub(super) fn of(tlvs: Tlvs<'a>) -> Self {
        let mut facts = Self::default();
        for tlv in tlvs {
            match tlv {
                Tlv::Alpn(value) => first(&mut facts.alpn, value),
                Tlv::Authority(value) => first(&mut facts.authority, value),
                Tlv::UniqueId(value) => first(&mut facts.unique_id, value),
                Tlv::Ssl(value) => first(&mut facts.ssl, value),
                Tlv::Namespace(value) => first(&mut facts.namespace, value),
                Tlv::AwsVpcEndpoint(value) => first(&mut facts.aws_vpc_endpoint, value),
                Tlv::AzureLinkId(value) => first(&mut facts.azure_link_id, value),
                Tlv::GooglePscConnection(value) => first(&mut facts.google_psc_connection, value),
                Tlv::Checksum(_) => facts.is_checked = true,
                Tlv::Noop(_) | Tlv::Other { .. } => {}
            }
        }
        facts
    }
}

fn first<T>(place: &mut Option<T>, value: T) {
    place.get_or_insert(value);
}
