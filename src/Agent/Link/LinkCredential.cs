using Grpc.Core;
using LoadHarness.Agent.Identity;

namespace LoadHarness.Agent.Link;

/// <summary>
/// What is sent as `authorization` with a call: the credential of a local coordinator, or a join token for as long as the
/// coordinator does not know this agent by its key.
/// </summary>
public sealed class LinkCredential
{
    private readonly string? _file;
    private readonly string? _joinToken;
    private readonly Action _onEnrolled;
    private volatile bool _sendsToken;

    private LinkCredential(string? file, string? joinToken, bool enrolled, Action onEnrolled)
    {
        (_file, _joinToken, _onEnrolled) = (file, joinToken, onEnrolled);
        _sendsToken = joinToken is not null && !enrolled;
    }

    /// <summary>Nothing is sent.</summary>
    public static LinkCredential None => new(null, null, false, () => { });

    /// <summary>A file that is read anew for each call: a coordinator that starts again may have written another.</summary>
    public static LinkCredential OfFile(string path) => new(path, null, false, () => { });

    /// <summary>A join token.</summary>
    /// <param name="token">Null when there is none: then the key has to be enough.</param>
    /// <param name="enrolled">Whether the coordinator should know the key already; the token is then sent only when it does not.</param>
    /// <param name="onEnrolled">Called once the coordinator has taken this agent on.</param>
    public static LinkCredential OfJoinToken(string? token, bool enrolled, Action onEnrolled) => new(null, token, enrolled, onEnrolled);

    /// <summary>The headers of a call.</summary>
    /// <exception cref="LinkRefusedException">The file cannot be read, or is open to other users.</exception>
    public Metadata Headers()
    {
        var credential = _file is null ? _sendsToken ? _joinToken : null : ReadFile(_file);
        return credential is null ? [] : new() { { "authorization", $"Bearer {credential}" } };
    }

    /// <summary>The coordinator has taken this agent on: from now on its key is enough.</summary>
    public void Welcomed()
    {
        _sendsToken = false;
        _onEnrolled();
    }

    /// <summary>The coordinator does not know this agent.</summary>
    /// <returns>Whether there is a join token that was not sent and will be now.</returns>
    public bool OfferToken()
    {
        if (_sendsToken || _joinToken is null)
            return false;
        _sendsToken = true;
        return true;
    }

    private static string ReadFile(string path)
    {
        try
        {
            return SecretFile.ReadLine(path, "credential file");
        }
        catch (SecretFileException e)
        {
            throw new LinkRefusedException(e.IsMissing ? $"{e.Message}; the coordinator writes it when it starts" : e.Message);
        }
    }
}
