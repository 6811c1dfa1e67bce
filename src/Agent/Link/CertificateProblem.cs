using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace LoadHarness.Agent.Link;

/// <summary>Says why the certificate of a coordinator is not accepted, and what to do about it.</summary>
internal static class CertificateProblem
{
    // A signature that does not fit: the CA has the name of one that is trusted, and another key.
    private const X509ChainStatusFlags Untrusted =
        X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.NotSignatureValid;


    /// <summary>Looks at what the handshake found.</summary>
    /// <returns>Empty when nothing is wrong.</returns>
    public static string Describe(
        CoordinatorAddress coordinator, string? caFile, X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
            return "";
        if (certificate is null)
            return $"{coordinator} shows no certificate: is it a coordinator?";
        var status = chain?.ChainStatus ?? [];
        // Whose certificate it is comes first: what a stranger's says about time and names does not matter.
        if (status.Any(s => (s.Status & Untrusted) != 0))
            return Stranger(coordinator, caFile, certificate);
        if (status.Any(s => s.Status.HasFlag(X509ChainStatusFlags.NotTimeValid)))
            return Time(coordinator, chain!);
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
            return Name(coordinator, certificate);
        var words = string.Join(", ", status.Select(s => s.StatusInformation.Trim().TrimEnd('.')));
        return $"the certificate of {coordinator} (\"{certificate.Subject}\") is not accepted: {words}; "
            + $"issue another one: {Issue(coordinator)}";
    }

    private static string Stranger(CoordinatorAddress coordinator, string? caFile, X509Certificate2 certificate)
    {
        var issuer = certificate.Issuer == certificate.Subject ? "itself" : $"\"{certificate.Issuer}\"";
        var trusted = caFile is null ? "which this system does not trust" : $"whose key is not in {caFile}";
        return $"the certificate of {coordinator} (\"{certificate.Subject}\") was issued by {issuer}, {trusted}; "
            + "give the CA of this coordinator (ca/ca.pem of its state folder): --ca FILE";
    }

    private static string Time(CoordinatorAddress coordinator, X509Chain chain)
    {
        var now = DateTime.Now;
        foreach (var certificate in chain.ChainElements.Select(e => e.Certificate))
        {
            var which = $"the certificate of {coordinator} (\"{certificate.Subject}\")";
            if (certificate.NotAfter < now)
                return $"{which} expired at {Show(certificate.NotAfter)}; issue another one: {Issue(coordinator)}";
            if (certificate.NotBefore > now)
            {
                return $"{which} is valid from {Show(certificate.NotBefore)} on and here it is {Show(now)}: "
                    + "set the clock of this host, or of the one that issued it";
            }
        }

        return $"the certificate of {coordinator} outlives the one that issued it; issue another one: {Issue(coordinator)}";
    }

    private static string Name(CoordinatorAddress coordinator, X509Certificate2 certificate)
    {
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(e => e.EnumerateDnsNames().Concat(e.EnumerateIPAddresses().Select(a => a.ToString()))).ToList();
        var whose = names.Count > 0 ? string.Join(", ", names) : "no name at all";
        return $"the certificate of {coordinator} is for {whose}, and not for {coordinator.Host}; "
            + $"join by a name that it has, or issue one: {Issue(coordinator)}";
    }

    private static string Issue(CoordinatorAddress coordinator) => $"loadharness certs issue server --host {coordinator.Host}";

    private static string Show(DateTime time) =>
        time.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) + " UTC";
}
