using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace LoadHarness.Coordinator.Security;

/// <summary>The tokens that a coordinator accepts; the file is read again when it has changed, so revoking needs no restart.</summary>
public sealed partial class TokenStore
{
    private const int LongestSecret = 1024;

    private readonly TokenFile _file;
    private readonly ILogger _log;
    private readonly Lock _lock = new();
    private FileStamp _stamp;
    private ImmutableArray<(Token Token, byte[] Hash)>? _tokens;

    /// <summary>Reads the file for the first time.</summary>
    /// <exception cref="CredentialException">It cannot be used.</exception>
    public TokenStore(TokenFile file, ILogger<TokenStore> log)
    {
        (_file, _log) = (file, log);
        _stamp = FileStamp.Of(file.Path);
        _tokens = Hashed(file.Read());
    }

    /// <summary>The token with this secret; null when there is none. Says nothing about its expiry.</summary>
    /// <remarks>Takes as long whichever token it is, and whether it is one.</remarks>
    /// <exception cref="CredentialException">The file has become unusable: nobody gets in by token until it is mended.</exception>
    public Token? Find(string secret)
    {
        if (secret.Length > LongestSecret)
            return null;
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(secret));
        Token? found = null;
        foreach (var (token, known) in Current())
        {
            if (CryptographicOperations.FixedTimeEquals(hash, known))
                found = token;
        }

        return found;
    }

    private ImmutableArray<(Token Token, byte[] Hash)> Current()
    {
        lock (_lock)
        {
            var stamp = FileStamp.Of(_file.Path);
            if (stamp != _stamp)
                Reload(stamp);
            return _tokens ?? throw new CredentialException("the coordinator cannot read its tokens; its log says why");
        }
    }

    // An unusable file opens nothing: it may be the one that was to revoke a token.
    private void Reload(FileStamp stamp)
    {
        _stamp = stamp;
        try
        {
            _tokens = Hashed(_file.Read());
            LogRead(_log, _file.Path, _tokens.Value.Length);
        }
        catch (CredentialException e)
        {
            _tokens = null;
            LogUnusable(_log, e.Message);
        }
    }

    private static ImmutableArray<(Token Token, byte[] Hash)> Hashed(ImmutableArray<Token> tokens) =>
        [.. tokens.Select(t => (t, Convert.FromHexString(t.Sha256)))];

    [LoggerMessage(1111, LogLevel.Information, "Read {Path} again: {Count} tokens")]
    private static partial void LogRead(ILogger log, string path, int count);

    [LoggerMessage(1112, LogLevel.Error, "No token is accepted: {Problem}")]
    private static partial void LogUnusable(ILogger log, string problem);
}
