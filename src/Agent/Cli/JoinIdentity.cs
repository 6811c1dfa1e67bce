using LoadHarness.Agent.Identity;
using LoadHarness.Agent.Link;

namespace LoadHarness.Agent.Cli;

/// <summary>As whom an agent joins, and how it proves that.</summary>
/// <param name="AgentId">The identity.</param>
/// <param name="Credential">What is sent to be let in.</param>
/// <param name="Tls">For https.</param>
/// <param name="State">Held until the process ends; null where nothing is kept.</param>
internal sealed record JoinIdentity(string AgentId, LinkCredential Credential, LinkTls? Tls, StateFolder? State) : IDisposable
{
    private const string TokenVariable = "LOADHARNESS_JOIN_TOKEN";
    private const string TokenFileVariable = "LOADHARNESS_JOIN_TOKEN_FILE";

    /// <summary>On this host, over a Unix socket or loopback: whoever can read the credential is who may join.</summary>
    public static JoinIdentity Local(string? id, string? credentialFile) => new(
        id ?? Environment.MachineName, credentialFile is null ? LinkCredential.None : LinkCredential.OfFile(credentialFile), null, null);

    /// <summary>Over TLS: the state folder's key or a certificate that was issued to this agent.</summary>
    /// <param name="id">As the user gave it; null: the one of the certificate, the one kept, or the host's name.</param>
    /// <param name="files">Where everything is.</param>
    /// <param name="environment">Reads a variable.</param>
    /// <exception cref="IdentityException">A file cannot be used.</exception>
    /// <exception cref="SecretFileException">A file with a secret cannot be used.</exception>
    public static JoinIdentity Remote(string? id, JoinFiles files, Func<string, string?> environment)
    {
        var state = StateFolder.Open(files.State ?? StateFolder.DefaultPath(environment, Environment.IsPrivilegedProcess));
        try
        {
            var tls = files.Certificate is { } certificate
                ? new LinkTls(files.Ca, () => AgentCertificate.OfFiles(certificate, files.Key!))
                : OfKey(files.Ca, state);
            tls.Check();
            var agentId = ChooseId(id, tls, state);
            var enrolled = state.IsEnrolled(agentId);
            var token = ReadToken(files.JoinToken, environment, isNeeded: !enrolled);
            state.KeepIdentity(agentId);
            return new(agentId, LinkCredential.OfJoinToken(token, enrolled, () => state.MarkEnrolled(agentId)), tls, state);
        }
        catch (Exception e)
        {
            state.Dispose();
            throw e is IOException or UnauthorizedAccessException
                ? new IdentityException($"state folder {state.Path} cannot be written to: {e.Message}")
                : e;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => State?.Dispose();

    private static LinkTls OfKey(string? ca, StateFolder state)
    {
        var certificate = AgentCertificate.OfKey(state.KeyPath);
        return new LinkTls(ca, () => certificate);
    }

    private static string ChooseId(string? id, LinkTls tls, StateFolder state)
    {
        var issued = AgentCertificate.IdentityOf(tls.Certificate());
        if (id is not null && issued is not null && issued != id)
            throw new IdentityException($"--id {id}: the certificate was issued to {issued}; leave --id out, or have one issued to {id}");
        return id ?? issued ?? state.Identity ?? Environment.MachineName;
    }

    // A file that is gone after the enrolment is as it should be: nobody needs it any more.
    private static string? ReadToken(string? file, Func<string, string?> environment, bool isNeeded)
    {
        file ??= environment(TokenFileVariable) is { Length: > 0 } named ? named : null;
        try
        {
            if (file is not null)
                return SecretFile.ReadLine(file, "join token file");
        }
        catch (SecretFileException e) when (e.IsMissing && !isNeeded)
        {
            return null;
        }

        if (environment(TokenVariable) is not { Length: > 0 } text)
            return null;
        return SecretFile.IsSecret(text.Trim())
            ? text.Trim()
            : throw new SecretFileException($"{TokenVariable} holds no token: printable characters without spaces are wanted");
    }
}

/// <summary>Files of a remote agent as the command line names them; null where it does not.</summary>
internal sealed record JoinFiles(string? Ca, string? JoinToken, string? State, string? Certificate, string? Key);
