using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace LoadHarness.Agent.Identity;

/// <summary>
/// What the agent shows in the TLS handshake: the proof that it holds its key. The coordinator knows it by the key, so the
/// certificate around it says nothing and is made anew at each start.
/// </summary>
public static class AgentCertificate
{
    private const string IdentityUri = "loadharness:agent:";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    private const string AlternativeNames = "2.5.29.17";

    // GeneralName ::= CHOICE { ... uniformResourceIdentifier [6] IA5String ... } (RFC 5280, 4.2.1.6)
    private static readonly Asn1Tag _uri = new(TagClass.ContextSpecific, 6);

    // A clock that is behind does not make a certificate of today one of tomorrow.
    private static readonly TimeSpan _slack = TimeSpan.FromDays(1);
    private static readonly TimeSpan _lifetime = TimeSpan.FromDays(3650);

    /// <summary>A self-signed certificate of the key in a file; the key is made (ECDSA P-256, PEM, 0600) when there is none.</summary>
    /// <exception cref="IdentityException">The key cannot be read or written, is open to others, or is no such key.</exception>
    public static X509Certificate2 OfKey(string path)
    {
        using var key = LoadKey(path) ?? MakeKey(path);
        var request = new CertificateRequest("CN=loadharness-agent", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ClientAuthentication)], false));
        var now = DateTimeOffset.UtcNow;
        return request.CreateSelfSigned(now - _slack, now + _lifetime);
    }

    /// <summary>A certificate that was issued to this agent, with its key.</summary>
    /// <exception cref="IdentityException">A file cannot be read, the key is open to others, or they do not fit together.</exception>
    public static X509Certificate2 OfFiles(string certificatePath, string keyPath)
    {
        var key = ReadKey(keyPath) ?? throw new IdentityException($"key file {keyPath} is missing");
        try
        {
            return X509Certificate2.CreateFromPem(File.ReadAllText(certificatePath), key);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new IdentityException($"certificate file {certificatePath} is missing");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IdentityException($"certificate file {certificatePath} cannot be read: {e.Message}");
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new IdentityException(
                $"{certificatePath} and {keyPath} are no certificate with its key (PEM): {e.Message} "
                + "Both come from: loadharness certs issue agent NAME");
        }
    }

    /// <summary>The identity that a certificate was issued to; null when it names none.</summary>
    public static string? IdentityOf(X509Certificate2 certificate)
    {
        if (certificate.Extensions.FirstOrDefault(e => e.Oid?.Value == AlternativeNames) is not { } extension)
            return null;
        try
        {
            var names = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
            while (names.HasData)
            {
                if (!names.PeekTag().HasSameClassAndValue(_uri))
                {
                    names.ReadEncodedValue();
                    continue;
                }

                var uri = names.ReadCharacterString(UniversalTagNumber.IA5String, _uri);
                if (uri.StartsWith(IdentityUri, StringComparison.Ordinal))
                    return Uri.UnescapeDataString(uri[IdentityUri.Length..]);
            }
        }
        catch (AsnContentException)
        {
            // A damaged extension names nobody.
        }

        return null;
    }

    private static ECDsa? LoadKey(string path)
    {
        if (ReadKey(path) is not { } pem)
            return null;
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            return key;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            key.Dispose();
            throw new IdentityException(
                $"{path} is no private key of an agent (ECDSA, PEM); bring it back, or delete it and let the coordinator forget it too: "
                + "loadharness agents forget ID");
        }
    }

    private static ECDsa MakeKey(string path)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        try
        {
            SecretFile.Write(path, key.ExportPkcs8PrivateKeyPem() + "\n");
            return key;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            key.Dispose();
            throw new IdentityException($"the key of this agent cannot be written to {path}: {e.Message}");
        }
    }

    private static string? ReadKey(string path)
    {
        try
        {
            return SecretFile.ReadText(path, "key file");
        }
        catch (SecretFileException e) when (e.IsMissing)
        {
            return null;
        }
        catch (SecretFileException e)
        {
            throw new IdentityException(e.Message);
        }
    }
}
