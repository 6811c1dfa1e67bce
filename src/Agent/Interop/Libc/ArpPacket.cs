using LoadHarness.Protos;

namespace LoadHarness.Agent.Interop.Libc;

/// <summary>An ARP request or answer.</summary>
/// <param name="SenderHardware">The hardware address of who sent it, as a number of 48 bits.</param>
/// <param name="Sender">Whose address it is; 0.0.0.0 in a probe.</param>
/// <param name="Target">Whose address is asked for.</param>
internal readonly record struct ArpPacket(ulong SenderHardware, IpAddress Sender, IpAddress Target);
