using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace LoadHarness.Coordinator.Security;

/// <summary>
/// The certificate that listeners present. Looks at each handshake whether its files have changed; a pair that cannot be used leaves the one
/// in force and is logged once.
/// </summary>
public sealed partial class ServerCertificates
{
    private static readonly TimeSpan _warnEvery = TimeSpan.FromDays(1);

    private readonly CertificateFiles _files;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Lock _lock = new();
    private (FileStamp Certificate, FileStamp Key) _stamps;
    private SslStreamCertificateContext _current;
    private DateTimeOffset? _warned;

    /// <summary>Reads the files for the first time.</summary>
    /// <exception cref="CredentialException">They cannot be used.</exception>
    public ServerCertificates(CertificateFiles files, TimeProvider time, ILogger<ServerCertificates> log)
    {
        (_files, _time, _log) = (files, time, log);
        _stamps = Stamps();
        _current = Load();
    }

    /// <summary>What to present now.</summary>
    public SslStreamCertificateContext Current
    {
        get
        {
            lock (_lock)
            {
                var stamps = Stamps();
                if (stamps != _stamps)
                    Reload(stamps);
                WarnOfItsEnd();
                return _current;
            }
        }
    }

    private void Reload((FileStamp Certificate, FileStamp Key) stamps)
    {
        _stamps = stamps;
        try
        {
            _current = Load();
            LogReloaded(_log, _files.Certificate, _current.TargetCertificate.NotAfter.ToUniversalTime());
        }
        catch (CredentialException e)
        {
            LogKept(_log, e.Message);
        }
    }

    // Seen by who dials: a certificate that nobody asks for hurts nobody.
    private void WarnOfItsEnd()
    {
        var (now, until) = (_time.GetUtcNow(), new DateTimeOffset(_current.TargetCertificate.NotAfter));
        if (until - now > CertificateInventory.WarnBefore || now - _warned < _warnEvery)
            return;
        _warned = now;
        LogEnds(_log, _files.Certificate, until <= now ? "expired" : "expires", until.UtcDateTime);
    }

    // Those that were in force before are not disposed: a handshake may still use them.
    private SslStreamCertificateContext Load()
    {
        var chain = _files.Load(_time.GetUtcNow());
        return SslStreamCertificateContext.Create(chain[0], [.. chain.Skip(1)], offline: true);
    }

    private (FileStamp, FileStamp) Stamps() => (FileStamp.Of(_files.Certificate), FileStamp.Of(_files.Key));

    [LoggerMessage(1113, LogLevel.Information, "Listeners present {Path} as it is now, valid until {Until:u}")]
    private static partial void LogReloaded(ILogger log, string path, DateTime until);

    [LoggerMessage(1114, LogLevel.Error, "The listeners' certificate has changed and cannot be used; the one before stays in force: {Problem}")]
    private static partial void LogKept(ILogger log, string problem);

    [LoggerMessage(1115, LogLevel.Warning, "The listeners' certificate {Path} {Verb} at {Until:u}; issue a new one, it is taken without a restart")]
    private static partial void LogEnds(ILogger log, string path, string verb, DateTime until);
}
