namespace LoadHarness.Coordinator.Aggregation;

/// <summary>Connections that the target ended by itself.</summary>
/// <param name="Count">How many.</param>
/// <param name="MedianAgeSeconds">From ESTABLISHED to the target's FIN or RST.</param>
/// <param name="Cluster">The age that nearly all of them had; null when they had none in common.</param>
/// <param name="Burst">The moment at which nearly all of them were ended; null when there was none.</param>
public sealed record TargetCloseFacts(long Count, double MedianAgeSeconds, TargetCloseCluster? Cluster, TargetCloseBurst? Burst);

/// <summary>At least four fifths of the connections that the target ended, within 2 % and 1 s of one age: a time-out.</summary>
/// <param name="AgeSeconds">Their median.</param>
/// <param name="Count">How many.</param>
public sealed record TargetCloseCluster(double AgeSeconds, long Count);

/// <summary>At least four fifths of the connections that the target ended, within two seconds: a restart or a reload.</summary>
/// <param name="Second">Elapsed.</param>
/// <param name="Count">How many.</param>
public sealed record TargetCloseBurst(int Second, long Count);
