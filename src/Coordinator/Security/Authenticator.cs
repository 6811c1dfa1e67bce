using Grpc.Core;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Security;

/// <summary>Finds out who calls; see docs/design/security.md.</summary>
/// <param name="local">The generated credential: good wherever there is no TLS, that is on the Unix socket and on loopback.</param>
/// <param name="credentialPath">Where it lies, for messages.</param>
/// <param name="tokens">Those of users, and join tokens; null: there are none.</param>
/// <param name="keys">Bindings of agents.</param>
/// <param name="certificates">Judges agents' certificates; null: there is no authority.</param>
/// <param name="limits">Slow down who guesses.</param>
/// <param name="time">Tells what has expired.</param>
public sealed class Authenticator(
    Credential local,
    string credentialPath,
    TokenStore? tokens,
    IAgentKeys keys,
    AgentCertificates? certificates,
    CallLimits limits,
    TimeProvider time)
{
    private const string Scheme = "Bearer ";
    private const string NewToken = "loadharness tokens create NAME --role viewer|operator";
    private const string NewJoinToken = "loadharness tokens create NAME --role agent";

    /// <summary>Finds out who calls.</summary>
    /// <param name="authorization">The header; null when there is none.</param>
    /// <param name="origin">Where the call came in.</param>
    /// <exception cref="RpcException">UNAUTHENTICATED: nobody that is known here. RESOURCE_EXHAUSTED: too many wrong credentials.</exception>
    public Caller Identify(string? authorization, CallOrigin origin)
    {
        var agent = origin.Certificate is { } certificate ? new AgentCaller(CertificateNames.KeyFingerprint(certificate)) : null;
        // An enrolled agent's key is enough: its join token may have expired long ago.
        var enrolled = agent is not null && keys.IsBound(agent.Fingerprint);
        if (authorization is null)
        {
            return enrolled ? agent! : agent is not null ? Certified(agent, origin)
                : throw Refuse($"no credential given; {Remedy(origin)}");
        }

        if (!enrolled)
            limits.CheckFailures(origin.Peer);
        var secret = authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? authorization[Scheme.Length..].Trim() : "";
        if (!origin.Tls && local.Matches(secret))
            return new LocalCaller();
        var token = Find(secret);
        if (token is { } valid && !valid.HasExpired(time.GetUtcNow()))
            return valid.Role == TokenRole.Agent ? Joining(valid, agent) : new UserCaller(valid.Name, valid.Role);
        if (enrolled)
            return agent!;
        limits.CountFailure(origin.Peer);
        throw token is null
            ? Refuse($"wrong credential; {Remedy(origin)}")
            : Refuse($"{Words(token.Role)} `{token.Name}` expired at {token.Expires:u}; "
                + $"make another: {(token.Role == TokenRole.Agent ? NewJoinToken : NewToken)}");
    }

    private Token? Find(string secret)
    {
        try
        {
            return tokens?.Find(secret);
        }
        catch (CredentialException e)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, e.Message));
        }
    }

    private static AgentCaller Joining(Token token, AgentCaller? agent) => agent is null
        ? throw Refuse($"join token `{token.Name}` came without an agent's key; it is for `loadharness-agent join https://...`, "
            + "which presents its key in the TLS handshake")
        : agent with { JoinToken = new(token.Name, token.Labels) };

    private AgentCaller Certified(AgentCaller agent, CallOrigin origin)
    {
        var (identity, problem) = certificates?.Judge(origin.Certificate!) ?? default;
        return identity is not null
            ? agent with { CertifiedIdentity = identity }
            : throw Refuse($"{agent.Name} is not enrolled here{(problem is null ? "" : $", and {problem}")}; "
                + $"give it a join token: {NewJoinToken}");
    }

    private string Remedy(CallOrigin origin) => origin.Tls
        ? $"send `authorization: Bearer ...` with a token of this coordinator: {NewToken} (for an agent: {NewJoinToken})"
        : $"send `authorization: Bearer ...` with what {credentialPath} holds";

    private static string Words(TokenRole role) => role == TokenRole.Agent ? "join token" : "token";

    private static RpcException Refuse(string message) => new(new Status(StatusCode.Unauthenticated, message));
}
