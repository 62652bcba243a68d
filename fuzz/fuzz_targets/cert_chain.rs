//! Chains and CRLs from strangers, with signatures that always verify so that every rule is reached:
//! no panic, no hang, and nobody is accepted whose signatures were not checked.
#![no_main]

use lb_cert::{
    Certificate, CertificateDer, CertificateRevocationListDer, Crl, Crls, Crypto, NoCrypto, PeerName, Profile, Request,
    Roots, Verifier,
};
use libfuzzer_sys::fuzz_target;
use rustls_pki_types::{AlgorithmIdentifier, InvalidSignature, PrivateKeyDer, SignatureVerificationAlgorithm, alg_id};

/// Believes every P-256 signature.
#[derive(Debug)]
struct Gullible;

impl SignatureVerificationAlgorithm for Gullible {
    fn verify_signature(&self, _: &[u8], _: &[u8], _: &[u8]) -> Result<(), InvalidSignature> {
        Ok(())
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P256
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA256
    }
}

impl Crypto for Gullible {
    fn sha1(&self, _: &[u8]) -> Option<[u8; 20]> {
        None
    }

    fn sha256(&self, _: &[u8]) -> Option<[u8; 32]> {
        None
    }

    fn public_key(&self, _: &PrivateKeyDer<'_>) -> Option<Vec<u8>> {
        None
    }

    fn algorithms(&self) -> &[&'static dyn SignatureVerificationAlgorithm] {
        &[&Gullible]
    }
}

/// Two bytes of length, then so many bytes.
fn pieces(mut data: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while let Some((length, rest)) = data.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (piece, after) = rest.split_at(length);
        found.push(piece);
        data = after;
    }
    found
}

// Leaf, root, then intermediates and CRLs.
fuzz_target!(|data: &[u8]| {
    let pieces = pieces(data);
    let read = |piece: &[u8]| Certificate::parse(CertificateDer::from(piece.to_vec())).ok();
    let [leaf, root, others @ ..] = pieces.as_slice() else {
        return;
    };
    let (Some(leaf), Some(root)) = (read(leaf), read(root)) else {
        return;
    };
    let mut crls = Crls::new();
    let mut certificates = Vec::new();
    for piece in others {
        match Crl::parse(CertificateRevocationListDer::from(piece.to_vec())) {
            Ok(crl) => crls.add(crl),
            Err(_) => certificates.extend(read(piece)),
        }
    }
    let roots: Roots = [root].into_iter().collect();
    let names = [PeerName::read("www.example.com")];
    for profile in [Profile::connection(), Profile::strict(), Profile::lenient()] {
        let request = Request::server(leaf.not_before()).by(&names);
        let verifier = Verifier::new(&roots, &Gullible, &profile).with_crls(&crls);
        if let Err(refusal) = verifier.verify(&leaf, &certificates, &request) {
            assert!(!refusal.to_string().contains('\n'), "one line: {refusal}");
            let _ = refusal.explain();
        }
        let unchecked = Verifier::new(&roots, &NoCrypto, &profile);
        assert!(unchecked.verify(&leaf, &certificates, &request).is_err());
    }
});
