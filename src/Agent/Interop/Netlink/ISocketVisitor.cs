namespace LoadHarness.Agent.Interop.Netlink;

/// <summary>Is shown every socket of a dump. A struct, so that the call costs nothing.</summary>
public interface ISocketVisitor
{
    /// <summary>One socket; the reference is good for this call only.</summary>
    void Visit(in InetDiagMessage socket);
}
