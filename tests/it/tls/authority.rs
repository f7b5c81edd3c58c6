//! A certificate authority of the test's own.

use mailsluice::mail::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CrlDistributionPoint, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, SanType, SignatureAlgorithm, date_time_ymd,
};
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// Days from today.
pub(crate) type Days = i64;

/// An authority.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate with its key, both as PEM.
#[derive(Clone)]
pub(crate) struct Leaf {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// What a certificate is like.
pub(crate) struct Wanted<'a> {
    pub(crate) names: &'a [&'a str],
    pub(crate) from: Days,
    pub(crate) to: Days,
    pub(crate) client: bool,
    pub(crate) algorithm: &'static SignatureAlgorithm,
}

impl Default for Wanted<'_> {
    fn default() -> Self {
        Self { names: &[], from: -1, to: 80, client: false, algorithm: &PKCS_ECDSA_P256_SHA256 }
    }
}

fn params(common_name: &str, from: Days, to: Days) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, common_name);
    let day = |days: Days| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
        let text = Timestamp((now + days * 86_400_000).try_into().unwrap()).to_string();
        let [year, month, day] = [&text[..4], &text[5..7], &text[8..10]].map(|part| part.parse::<i32>().unwrap());
        date_time_ymd(year, month as u8, day as u8)
    };
    (params.not_before, params.not_after) = (day(from), day(to));
    params
}

impl Authority {
    /// An authority of this name.
    pub(crate) fn new(name: &str) -> Self {
        let mut params = params(name, -30, 1000);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { issuer }
    }

    /// Its own certificate, as PEM.
    pub(crate) fn certificate(&self) -> String {
        self.issuer.pem()
    }

    /// A server's certificate for these names; the first is its subject, too.
    pub(crate) fn server(&self, names: &[&str]) -> Leaf {
        self.issue(&Wanted { names, ..Wanted::default() })
    }

    /// A client's certificate. A name with an `@` is an e-mail address.
    pub(crate) fn client(&self, names: &[&str]) -> Leaf {
        self.issue(&Wanted { names, client: true, ..Wanted::default() })
    }

    /// Issues what is wanted.
    pub(crate) fn issue(&self, wanted: &Wanted<'_>) -> Leaf {
        let mut params = params(wanted.names[0], wanted.from, wanted.to);
        params.use_authority_key_identifier_extension = true;
        let list = vec!["http://ca.example/revoked.crl".to_owned()];
        params.crl_distribution_points = vec![CrlDistributionPoint { uris: list }];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![match wanted.client {
            true => ExtendedKeyUsagePurpose::ClientAuth,
            false => ExtendedKeyUsagePurpose::ServerAuth,
        }];
        params.subject_alt_names = wanted.names.iter().map(|name| san(name)).collect();
        let key = key(wanted.algorithm);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Leaf { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

fn san(name: &str) -> SanType {
    let text = name.try_into().unwrap();
    if name.contains('@') { SanType::Rfc822Name(text) } else { SanType::DnsName(text) }
}

/// A new key; of RSA keys, which take their time, always the same one.
fn key(algorithm: &'static SignatureAlgorithm) -> KeyPair {
    static RSA: LazyLock<String> = LazyLock::new(|| KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap().serialize_pem());
    if *algorithm == PKCS_RSA_SHA256 {
        return KeyPair::from_pem(&RSA).unwrap();
    }
    KeyPair::generate_for(algorithm).unwrap()
}
