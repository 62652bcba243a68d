"""What Python's cryptography writes, and PBMAC1 (RFC 9579), which few programs of today write by default."""
import hashlib
import hmac
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs12

ascii_, latin, emoji = (word.encode() for word in sys.argv[1:4])


def load(kind):
    key = serialization.load_pem_private_key(open(f"{kind}.key", "rb").read(), None)
    return key, x509.load_pem_x509_certificate(open(f"{kind}.crt", "rb").read())


root = x509.load_pem_x509_certificate(open("root.crt", "rb").read())
cases = open("cases.tsv", "a")


def case(name, data, kind, certificates, keys, word):
    open(name, "wb").write(data)
    print(name, kind, certificates, keys, word.hex(), sep="\t", file=cases)


pbe = pkcs12.PBES
builder = serialization.PrivateFormat.PKCS12.encryption_builder
best = serialization.BestAvailableEncryption
for kind in ("rsa", "ec"):
    key, leaf = load(kind)
    for name, encryption, word in (
        ("best", best(ascii_), ascii_),
        ("word1", best(latin), latin),
        ("word2", best(emoji), emoji),
        (
            "aes",
            builder().kdf_rounds(3000).key_cert_algorithm(pbe.PBESv2SHA256AndAES256CBC).hmac_hash(hashes.SHA512()).build(latin),
            latin,
        ),
        ("3des", builder().key_cert_algorithm(pbe.PBESv1SHA1And3KeyTripleDESCBC).hmac_hash(hashes.SHA1()).build(emoji), emoji),
    ):
        data = pkcs12.serialize_key_and_certificates(b"server", key, leaf, [root], encryption)
        case(f"python-{kind}-{name}.p12", data, kind, 2, 1, word)
    for form, name in ((serialization.PrivateFormat.PKCS8, "pkcs8"), (serialization.PrivateFormat.TraditionalOpenSSL, "old")):
        data = key.private_bytes(serialization.Encoding.PEM, form, best(ascii_))
        case(f"python-{kind}-{name}.pem", data, kind, 0, 1, ascii_)


def tlv(tag, *parts):
    content = b"".join(parts)
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def number(value):
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def element(data, at):
    """Begin of the content and end of the element at this place."""
    size, begin = data[at + 1], at + 2
    if size & 0x80:
        begin += size & 0x7F
        size = int.from_bytes(data[at + 2 : begin], "big")
    return begin, begin + size


HMAC_SHA256 = bytes.fromhex("06082a864886f70d0209")
HMAC_SHA512 = bytes.fromhex("06082a864886f70d020b")
PBKDF2 = bytes.fromhex("06092a864886f70d01050c")
PBMAC1 = bytes.fromhex("06092a864886f70d01050e")
NULL = b"\x05\x00"
for source, name, word, oid, digest in (
    ("openssl-nomac.p12", "pbmac1-sha256.p12", ascii_, HMAC_SHA256, "sha256"),
    ("openssl-word2-nomac.p12", "pbmac1-sha512.p12", emoji, HMAC_SHA512, "sha512"),
):
    data = open(source, "rb").read()
    begin, end = element(data, 0)
    _, safe = element(data, begin)  # behind the version stands the AuthenticatedSafe's ContentInfo
    info, info_end = element(data, safe)
    explicit, _ = element(data, element(data, info)[1])
    octets, octets_end = element(data, explicit)
    salt, length = bytes(range(64)), 32
    key = hashlib.pbkdf2_hmac(digest, word, salt, 2048, length)
    tag = hmac.new(key, data[octets:octets_end], digest).digest()
    function = tlv(0x30, oid, NULL)
    derivation = tlv(0x30, PBKDF2, tlv(0x30, tlv(4, salt), number(2048), number(length), function))
    algorithm = tlv(0x30, PBMAC1, tlv(0x30, derivation, function))
    mac = tlv(0x30, tlv(0x30, algorithm, tlv(4, tag)), tlv(4, b"NOT USED"), number(1))
    case(name, tlv(0x30, data[begin:end], mac), "ec", 2, 1, word)
