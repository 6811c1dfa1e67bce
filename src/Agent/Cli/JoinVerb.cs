using System.Collections.Immutable;
using System.CommandLine;
using LoadHarness.Agent.Identity;
using LoadHarness.Agent.Link;
using LoadHarness.Agent.Safety;
using LoadHarness.Protos;
using LoadHarness.V1;
using Microsoft.Extensions.Logging;

namespace LoadHarness.Agent.Cli;

/// <summary>`loadharness-agent join URL`: works for a coordinator until it is told to leave. The options are in the other part.</summary>
internal static partial class JoinVerb
{
    private const int LongestName = 128;

    private static int Run(ParseResult parsed, bool exitWithParent, int parent)
    {
        if (exitWithParent)
            ParentWatch.Start(parent);
        var errors = new List<string>();
        if (!CoordinatorAddress.TryParse(parsed.GetValue(_coordinator)!, out var coordinator, out var error))
            errors.Add(error);
        else
            CheckFiles(parsed, coordinator, errors);
        var id = parsed.GetValue(_id);
        if (id is not null && !(IsName(id) && id.All(c => c is > ' ' and <= '~')))
            errors.Add($"--id \"{id}\": 1 to {LongestName} visible ASCII characters are wanted, and no spaces");
        var policy = Policy(parsed, errors);
        var labels = Labels(parsed.GetValue(_labels) ?? [], errors);
        // An agent of its own says when it has joined; one that `loadharness` started is quiet.
        var level = LogLevelOf(parsed.GetValue(_logLevel) ?? (coordinator?.IsTls == true ? "information" : "warning"));
        if (level is null)
            errors.Add($"--log-level {parsed.GetValue(_logLevel)}: trace, debug, information, warning or error is wanted");
        if (errors.Count > 0)
            return AgentCommandLine.Fail(errors);
        try
        {
            using var identity = Identify(parsed, coordinator!, id);
            var options = new LinkOptions
            {
                Coordinator = coordinator!,
                AgentId = identity.AgentId,
                Labels = labels,
                Credential = identity.Credential,
                Tls = identity.Tls,
                Policy = policy!,
            };
            return JoinHost.Run(options, StateFolderOf(identity), level!.Value, exitWithParent);
        }
        catch (Exception e) when (e is IdentityException or SecretFileException)
        {
            return AgentCommandLine.Fail([e.Message]);
        }
    }

    // An agent on its coordinator's host keeps no identity, but what it adds to the host it must.
    private static string StateFolderOf(JoinIdentity identity) =>
        identity.State?.Path ?? StateFolder.DefaultPath(Environment.GetEnvironmentVariable, Environment.IsPrivilegedProcess);

    private static JoinIdentity Identify(ParseResult parsed, CoordinatorAddress coordinator, string? id)
    {
        if (!coordinator.IsTls)
            return JoinIdentity.Local(id, parsed.GetValue(_credential));
        var files = new JoinFiles(
            parsed.GetValue(_ca),
            parsed.GetValue(_joinToken),
            parsed.GetValue(_state),
            parsed.GetValue(_certificate),
            parsed.GetValue(_key));
        return JoinIdentity.Remote(id, files, Environment.GetEnvironmentVariable);
    }

    private static void CheckFiles(ParseResult parsed, CoordinatorAddress coordinator, List<string> errors)
    {
        var misplaced = coordinator.IsTls ? [_credential] : new[] { _ca, _joinToken, _state, _certificate, _key };
        foreach (var option in misplaced.Where(o => parsed.GetValue(o) is not null))
        {
            errors.Add(coordinator.IsTls
                ? $"{option.Name}: that is for a coordinator on this host; over https {_joinToken.Name} enrols the agent's key"
                : $"{option.Name}: that is for https://HOST:PORT; {coordinator} wants {_credential.Name} FILE");
        }

        if (parsed.GetValue(_certificate) is null != parsed.GetValue(_key) is null)
            errors.Add($"{_certificate.Name} and {_key.Name} belong together: give both, or neither to use the key of the state folder");
    }

    private static AgentPolicy? Policy(ParseResult parsed, List<string> errors)
    {
        if (!AllowList.TryParse(parsed.GetValue(_allow) ?? [], out var allowList, out var allowErrors))
            errors.AddRange(allowErrors);
        if (!AllowProvision.TryParse(parsed.GetValue(_allowProvision) ?? [], out var allowProvision, out var provisionErrors))
            errors.AddRange(provisionErrors);
        var (connections, rate) = (0L, 0L);
        if (parsed.GetValue(_maxConnections) is { } most && !Quantity.TryParseCount(most, out connections))
            errors.Add($"{_maxConnections.Name} {most}: a count is wanted, as in 20000, 500k or 2M");
        if (parsed.GetValue(_maxConnectRate) is { } fastest && !Quantity.TryParseRate(fastest, out rate))
            errors.Add($"{_maxConnectRate.Name} {fastest}: connects per second are wanted, as in 5000/s or 5k/s");
        var role = parsed.GetValue(_role);
        if (role is not ("client" or "backend"))
            errors.Add($"{_role.Name} {role}: client or backend is wanted");
        if (allowList is null || allowProvision is null)
            return null;
        var policy = new AgentPolicy(allowList)
        {
            AllowProvision = allowProvision,
            Role = role == "backend" ? AgentRole.Backend : AgentRole.Client,
            MaxConnections = connections,
            MaxConnectsPerSecond = rate,
        };
        if (parsed.GetValue(_allowListen) is { } ports)
            policy = policy with { ListenPorts = ListenPorts(ports, policy.Role, errors) };
        return parsed.GetValue(_listenAddresses) is { Length: > 0 } addresses
            ? policy with { ListenAddresses = ListenAddresses(addresses, policy.Role, errors) } : policy;
    }

    private static ImmutableArray<IpAddress> ListenAddresses(string[] texts, AgentRole role, List<string> errors)
    {
        var addresses = ImmutableArray.CreateBuilder<IpAddress>();
        foreach (var text in texts)
        {
            if (EndpointText.ParseAddress(text) is { } address)
                addresses.Add(address);
            else
                errors.Add($"{_listenAddresses.Name} {text}: an address is wanted, as in 127.0.0.1 or ::1");
        }

        if (role != AgentRole.Backend)
            errors.Add($"{_listenAddresses.Name} {string.Join(' ', texts)}: only a backend listens; join with {_role.Name} backend, or leave it out");
        return addresses.ToImmutable();
    }

    private static ImmutableArray<PortSpan> ListenPorts(string text, AgentRole role, List<string> errors)
    {
        var ports = EndpointText.ParsePorts(text);
        if (ports.IsEmpty)
            errors.Add($"{_allowListen.Name} {text}: ports from 1 to 65535 are wanted, as in 443 or 443,9000-9009");
        if (role != AgentRole.Backend)
            errors.Add($"{_allowListen.Name} {text}: only a backend listens; join with {_role.Name} backend, or leave it out");
        return ports;
    }

    private static ImmutableSortedDictionary<string, string> Labels(string[] texts, List<string> errors)
    {
        var labels = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var text in texts)
        {
            var split = text.IndexOf('=', StringComparison.Ordinal);
            if (split < 1 || !IsName(text[..split]) || text.Length - split > LongestName || text.Any(char.IsControl))
                errors.Add($"--label {text}: key=value is wanted, as in zone=a, each of at most {LongestName} characters");
            else if (!labels.TryAdd(text[..split], text[(split + 1)..]))
                errors.Add($"--label {text}: {text[..split]} is given twice");
        }

        return labels.ToImmutable();
    }

    private static bool IsName(string text) => text.Length is > 0 and <= LongestName && !text.Any(char.IsControl);

    private static LogLevel? LogLevelOf(string text) => text.ToLowerInvariant() switch
    {
        "trace" => LogLevel.Trace,
        "debug" => LogLevel.Debug,
        "info" or "information" => LogLevel.Information,
        "warn" or "warning" => LogLevel.Warning,
        "error" => LogLevel.Error,
        _ => null,
    };
}
