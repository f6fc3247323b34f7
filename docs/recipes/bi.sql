-- Over a Parquet export of a segment, in DuckDB; other tools read the same file.
SELECT
    "attribute.region" AS region,
    count(*) AS people,
    round(avg(openness), 2) AS openness,
    count(*) FILTER (phase = 'do') AS ready_to_talk
FROM 'export.parquet'
GROUP BY region
ORDER BY people DESC, region;
