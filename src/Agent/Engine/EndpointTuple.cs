namespace LoadHarness.Agent.Engine;

/// <summary>One 4-tuple of the endpoint space, by number.</summary>
/// <param name="Unit">Source address and port.</param>
/// <param name="Destination">Address and port of the target.</param>
public readonly record struct EndpointTuple(int Unit, ushort Destination);
