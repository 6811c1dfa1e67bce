namespace LoadHarness.Agent.Workloads.Http;

/// <summary>What a parse has found.</summary>
public enum ParseResult
{
    /// <summary>The bytes are used up in the middle of a response.</summary>
    More,

    /// <summary>A final response is complete.</summary>
    Response,

    /// <summary>What has come is no response that can be told apart from the next; the connection is of no more use.</summary>
    Bad,
}
