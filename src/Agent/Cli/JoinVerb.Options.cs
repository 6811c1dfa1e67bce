using System.CommandLine;

namespace LoadHarness.Agent.Cli;

/// <content>What the verb takes.</content>
internal static partial class JoinVerb
{
    private static readonly Argument<string> _coordinator = new("coordinator")
    {
        Description = "https://HOST:PORT, unix:/path/to/coordinator.sock or http://127.0.0.1:PORT",
    };

    private static readonly Option<string?> _id = new("--id")
    {
        Description = "Identity of this agent, stable over restarts; two agents on one host need two. "
            + "Default: the one kept, else the host's name",
    };

    private static readonly Option<string> _role = new("--role")
    {
        Description = "client opens connections; backend accepts them, for a load balancer under test to forward to",
        DefaultValueFactory = _ => "client",
    };

    private static readonly Option<string[]> _labels = new("--label")
    {
        Description = "key=value by which runs select agents; may be given several times",
    };

    private static readonly Option<string?> _ca = new("--ca")
    {
        Description = "PEM file with the CA of the coordinator. Default: those that this system trusts",
    };

    private static readonly Option<string?> _joinToken = new("--join-token-file")
    {
        Description = "File (0600) with a join token, needed once to enrol; or LOADHARNESS_JOIN_TOKEN_FILE, LOADHARNESS_JOIN_TOKEN",
    };

    private static readonly Option<string?> _state = new("--state")
    {
        Description = "Folder of this agent's key and identity. Default: STATE_DIRECTORY, /var/lib/loadharness-agent for root, "
            + "$XDG_STATE_HOME/loadharness-agent for others",
    };

    private static readonly Option<string?> _certificate = new("--cert")
    {
        Description = "PEM file with a certificate that the coordinator's CA issued to this agent, instead of the folder's key; with --key",
    };

    private static readonly Option<string?> _key = new("--key")
    {
        Description = "PEM file (0600) with the private key of --cert",
    };

    private static readonly Option<string?> _credential = new("--credential-file")
    {
        Description = "File (0600) with the credential that a coordinator on this host wrote",
    };

    private static readonly Option<string[]> _allow = new("--allow")
    {
        Description = "CIDR[:PORTS] to connect to, as 10.0.0.0/24:443,8443-8450; may be given several times. Default: loopback only",
    };

    private static readonly Option<string[]> _allowProvision = new("--allow-provision")
    {
        Description = "CIDR@DEV where runs may add source addresses to this host while they last, as 10.0.1.0/24@eth0; "
            + "may be given several times. Default: nowhere",
    };

    private static readonly Option<string?> _allowListen = new("--allow-listen")
    {
        Description = "Ports that a backend may listen on, as 443,9000-9009. Default: 1024-65535",
    };

    private static readonly Option<string[]> _listenAddresses = new("--listen-address")
    {
        Description = "Address at which a backend listens; may be given several times. Default: every one of the host",
    };

    private static readonly Option<string?> _maxConnections = new("--max-connections")
    {
        Description = "Most connections that any run may have this agent hold, as 500k. Default: no limit of its own",
    };

    private static readonly Option<string?> _maxConnectRate = new("--max-connect-rate")
    {
        Description = "Most connects per second that any run may have it make, as 5000/s. Default: no limit of its own",
    };

    private static readonly Option<string?> _logLevel = new("--log-level")
    {
        Description = "trace, debug, information, warning or error. Default: information over https, else warning",
    };

    /// <summary>The verb with its options.</summary>
    public static Command Create(int parent)
    {
        var exitWithParent = CommonOptions.ExitWithParent();
        var command = new Command("join", """
            Joins a coordinator and opens (or, as a backend, accepts) the connections that it assigns.
            SIGTERM closes them in an orderly way and leaves; a second one ends at once.

            Example: loadharness-agent join https://coordinator:7443 --ca ca.pem --join-token-file token --allow 10.0.0.0/24:443
            """)
        {
            _coordinator, _ca, _joinToken, _state, _id, _role, _labels, _allow, _allowProvision, _allowListen, _listenAddresses,
            _maxConnections, _maxConnectRate,
            _certificate, _key, _credential, exitWithParent, _logLevel,
        };
        command.SetAction(parsed => Run(parsed, parsed.GetValue(exitWithParent), parent));
        return command;
    }
}
