//! Whether the numbers of an RSA key belong together, for keys of lengths that libraries of TLS do not compute with. The
//! arithmetic is num-bigint's; nothing is signed or decrypted.

#![warn(clippy::indexing_slicing)]
#![allow(
    clippy::arithmetic_side_effects,
    reason = "whole numbers without limit; what is subtracted from is above one"
)]

use super::convert;
use super::structure::items_of_whole;
use num_bigint::BigUint;

/// RFC 8017, section 3.2: n is the product of the primes, and each exponent undoes e modulo its prime less one. `None` for
/// other kinds of keys.
///
/// Cost: some multiplications and divisions of the length of the modulus, which the structure limits.
pub(super) fn fits(pkcs8: &[u8]) -> Option<bool> {
    if !convert::is_rsa(pkcs8) {
        return None;
    }
    let inner = convert::pkcs8_to_pkcs1(pkcs8)?;
    let items = items_of_whole(&inner).ok()?;
    let numbers: Vec<BigUint> = items.iter().map(|item| BigUint::from_bytes_be(item.value())).collect();
    let [_, n, e, d, p, q, dp, dq, qi] = numbers.as_slice() else {
        return None;
    };
    let one = BigUint::from(1_u8);
    if *p <= one || *q <= one {
        return Some(false);
    }
    let (below_p, below_q) = (p - 1_u8, q - 1_u8);
    // A remainder of one; modulo one (of the prime 2) everything is.
    let undoes = |product: BigUint, modulus: &BigUint| product % modulus == &one % modulus;
    Some(
        *n == p * q
            && undoes(d * e, &below_p)
            && undoes(d * e, &below_q)
            && undoes(dp * e, &below_p)
            && undoes(dq * e, &below_q)
            && undoes(qi * q, p),
    )
}
