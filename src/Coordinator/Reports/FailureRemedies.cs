namespace LoadHarness.Coordinator.Reports;

/// <summary>Failures in words: what happened, and what to do about it.</summary>
public static class FailureRemedies
{
    /// <summary>Says it.</summary>
    /// <param name="reason">As in the summary: <c>connect/target/refused</c>.</param>
    /// <returns>Meaning and remedy, without full stops; a reason that is not known keeps its name and has no remedy.</returns>
    public static (string Meaning, string Remedy) Of(string reason) => reason.Split('/') switch
    {
        ["source-bind", _, "address-gone"] =>
            ("the host has no such source address", "add it ('ip address add'), or leave it out of --sources"),
        ["source-bind", _, "port-in-use"] =>
            ("another socket holds the source port", "nothing is needed: the port is left out; or give other --source-ports"),
        ["connect", _, "refused"] => ("the target refused the connection", "see that it listens there, and that its backlog is not full"),
        ["connect", _, "timeout"] =>
            ("no answer within the connect timeout", "look for a firewall that drops, a full SYN queue, or packet loss"),
        ["connect", _, "reset"] => ("the target reset the connection while it was opened", "look at the target's limits and its log"),
        [_, _, "unreachable"] => ("there is no route to the target", "check 'ip route get' towards it, and the gateway"),
        ["hold", _, "reset"] => ("the target reset an open connection", "look at its log: a crash, a reload or a limit"),
        ["hold", _, "closed"] => ("the target closed an open connection", "look at its idle timeouts (HAProxy: timeout client)"),
        ["hold", _, "timeout"] => ("an open connection died without an answer", "look for a firewall that forgets idle connections"),
        [_, _, "descriptors"] =>
            ("the agent ran out of descriptors", "raise ulimit -n (LimitNOFILE=) and fs.nr_open, or start more agents"),
        [_, _, "tuple-in-use"] => ("the tuple was taken or in TIME-WAIT", "give more source addresses or ports, or let less churn"),
        [_, _, "endpoint-space-exhausted"] => ("every tuple was in use or resting", "give more --sources, or more target ports"),
        [_, _, "memory"] => ("the kernel had no memory for the socket", "see net.ipv4.tcp_mem and free memory on that host"),
        [_, _, "firewall"] => ("a firewall on our own host forbade it", "allow it there: 'nft list ruleset', or the conntrack limit"),
        [_, _, "not-allowed"] => ("the agent may not connect there", "start it with --allow for this target"),
        [_, _, "protocol-error"] => ("the target sent what its protocol does not allow", "check that it is the service that you meant"),
        [_, _, "alert"] => ("the target ended TLS with an alert", "look at its log; versions, ciphers, client certificates and names must suit both sides"),
        ["tls-handshake", _, "closed"] => ("the target closed during the TLS handshake", "check that it speaks TLS there, and its log"),
        ["tls-handshake", _, "reset"] => ("the target reset the connection during the TLS handshake", "check that it speaks TLS there, and its log"),
        ["tls-handshake", _, "timeout"] => ("the TLS handshake was not over within the connect timeout", "look at the target's CPU: handshakes cost it most"),
        ["response", _, "timeout"] => ("no complete response within the request timeout", "look at the target's queues, or give a longer --request-timeout"),
        ["request" or "response", _, "closed" or "reset"] => ("the target ended the connection instead of answering", "look at its log: a crash, a reload, a limit or a timeout"),
        [_, _, "unexpected-status"] => ("the target answered with a status that is not expected", "look at its log, or say with --expect-status what is fine"),
        [_, _, "cut-off"] => ("our own close cut requests off", "give the drain more time"),
        [_, _, "certificate"] => ("the target's certificate was not accepted", "check its chain and its name"),
        _ => (reason, ""),
    };
}
