namespace LoadHarness.Agent.Transports;

/// <summary>What carries a connection once TCP is ESTABLISHED. All calls return at once.</summary>
public interface ITransport
{
    /// <summary>Takes the handshake on; Done once data can flow.</summary>
    TransportAnswer Handshake(int fd, out int errno);

    /// <summary>
    /// Throws away what has arrived. Again: all is read. Done: the bound was met, call once more. Failed with errno 0: the
    /// peer's FIN.
    /// </summary>
    TransportAnswer Discard(int fd, out long bytes, out int errno);

    /// <summary>Sends our side's end; Done once our FIN is on its way.</summary>
    TransportAnswer Shutdown(int fd, out int errno);
}
