using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace LoadHarness.Coordinator.Security;

/// <summary>What certificates say about whom they belong to.</summary>
public static class CertificateNames
{
    /// <summary>What the URI of an agent's certificate begins with.</summary>
    public const string AgentUriPrefix = "loadharness:agent:";

    private const string SubjectAlternativeName = "2.5.29.17";
    private static readonly Asn1Tag _uriTag = new(TagClass.ContextSpecific, 6);

    /// <summary>SHA-256 of a certificate's SubjectPublicKeyInfo, in lower-case hexadecimal: names the key, whatever certificate is around it.</summary>
    public static string KeyFingerprint(X509Certificate2 certificate) =>
        Convert.ToHexStringLower(SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo()));

    /// <summary>SHA-256 of a whole certificate, in lower-case hexadecimal: as <c>openssl x509 -fingerprint -sha256</c>, without colons.</summary>
    public static string Fingerprint(X509Certificate2 certificate) => certificate.GetCertHashString(HashAlgorithmName.SHA256).ToLowerInvariant();

    /// <summary>The identity that an agent's certificate was issued to; null when it names none, or several.</summary>
    public static string? AgentIdentity(X509Certificate2 certificate)
    {
        var names = Uris(certificate).Where(u => u.StartsWith(AgentUriPrefix, StringComparison.Ordinal)).ToArray();
        return names is [var only] && only.Length > AgentUriPrefix.Length ? Uri.UnescapeDataString(only[AgentUriPrefix.Length..]) : null;
    }

    /// <summary>Whether a certificate is expressly good for something: one without extended key usage is not.</summary>
    /// <param name="certificate">The certificate.</param>
    /// <param name="usage">An object identifier: <see cref="ServerAuthentication"/>, <see cref="ClientAuthentication"/>.</param>
    public static bool HasUsage(X509Certificate2 certificate, string usage) =>
        certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().Any(e => e.EnhancedKeyUsages.Cast<Oid>().Any(o => o.Value == usage));

    /// <summary>Host names and addresses that a server's certificate is for.</summary>
    public static IReadOnlyList<string> Hosts(X509Certificate2 certificate)
    {
        try
        {
            return
            [
                .. certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>()
                    .SelectMany(e => e.EnumerateDnsNames().Concat(e.EnumerateIPAddresses().Select(a => a.ToString()))),
            ];
        }
        catch (CryptographicException)
        {
            return [];
        }
    }

    /// <summary>id-kp-serverAuth, RFC 5280 4.2.1.12.</summary>
    public const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    /// <summary>id-kp-clientAuth, RFC 5280 4.2.1.12.</summary>
    public const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    // GeneralNames ::= SEQUENCE OF CHOICE { ..., uniformResourceIdentifier [6] IA5String, ... } (RFC 5280 4.2.1.6)
    private static List<string> Uris(X509Certificate2 certificate)
    {
        var uris = new List<string>();
        if (certificate.Extensions[SubjectAlternativeName] is not { } extension)
            return uris;
        try
        {
            var names = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
            while (names.HasData)
            {
                if (names.PeekTag() == _uriTag)
                    uris.Add(names.ReadCharacterString(UniversalTagNumber.IA5String, _uriTag));
                else
                    names.ReadEncodedValue();
            }
        }
        catch (AsnContentException)
        {
            return [];
        }

        return uris;
    }
}
