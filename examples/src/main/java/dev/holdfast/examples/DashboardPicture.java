/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import java.awt.Color;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/**
 * Draws the panels of the dashboard from what a Prometheus answers to their expressions. A second of the run is drawn as
 * one; rates are those of five seconds.
 */
public final class DashboardPicture {
    private static final Pattern LABEL = Pattern.compile("\\{\\{(\\w+)}}");
    private static final Color MARK = new Color(0x99, 0x99, 0x99);

    private final HttpClient http = HttpClient.newHttpClient();
    private final String prometheus;
    private final double from;
    private final double to;
    private final double[] marks;

    /** What is asked, and from when to when, in seconds since 1970; the marks are drawn as lines. */
    private DashboardPicture(String prometheus, double from, double to, double... marks) {
        this.prometheus = prometheus;
        this.from = from;
        this.to = to;
        this.marks = marks;
    }

    /**
     * Arguments: the dashboard's file, the address of a Prometheus, the file to write, when the run began, when the incident
     * began and ended, and when the run ended.
     */
    public static void main(String[] args) throws IOException, InterruptedException {
        System.setProperty("java.awt.headless", "true");
        double from = Double.parseDouble(args[3]);
        DashboardPicture picture = new DashboardPicture(
                args[1],
                from,
                Double.parseDouble(args[6]),
                Double.parseDouble(args[4]) - from,
                Double.parseDouble(args[5]) - from);
        List<XYChart> charts = new ArrayList<>();
        for (Object panel : list(json(Files.readString(Path.of(args[0]))), "panels")) {
            charts.add(picture.panel(panel));
        }
        try (var out = Files.newOutputStream(Path.of(args[2]))) {
            BitmapEncoder.saveBitmap(charts, (charts.size() + 1) / 2, 2, out, BitmapEncoder.BitmapFormat.PNG);
        }
    }

    private XYChart panel(Object panel) throws IOException, InterruptedException {
        String unit = text(get(get(panel, "fieldConfig"), "defaults"), "unit");
        XYChart chart = new XYChartBuilder()
                .width(720)
                .height(340)
                .title(text(panel, "title"))
                .yAxisTitle(unit.equals("reqps") ? "a second" : unit.equals("s") ? "seconds" : " ")
                .build();
        chart.getStyler()
                .setXAxisMin(0.0)
                .setXAxisMax(to - from)
                .setYAxisMin(0.0)
                .setPlotGridVerticalLinesVisible(false)
                .setYAxisDecimalPattern(unit.equals("percentunit") ? "0 %" : "0.##")
                .setLegendPosition(Styler.LegendPosition.OutsideE)
                .setChartBackgroundColor(Color.WHITE);
        double highest = 0;
        for (Object target : list(panel, "targets")) {
            for (Object series : answer(text(target, "expr"))) {
                highest = Math.max(highest, draw(chart, text(target, "legendFormat"), series));
            }
        }
        double top = highest == 0 ? 1 : 1.1 * highest;
        chart.getStyler().setYAxisMax(top);
        for (double mark : marks) {
            XYSeries line = chart.addSeries("at " + mark, new double[] {mark, mark}, new double[] {0, top});
            line.setMarker(SeriesMarkers.NONE)
                    .setLineColor(MARK)
                    .setLineWidth(1)
                    .setShowInLegend(false);
        }
        return chart;
    }

    /** Returns the highest value. */
    private double draw(XYChart chart, String legend, Object series) {
        List<Double> x = new ArrayList<>();
        List<Double> y = new ArrayList<>();
        for (Object point : list(series, "values")) {
            List<?> timeAndValue = (List<?>) point;
            double value = Double.parseDouble((String) timeAndValue.get(1));
            if (!Double.isNaN(value)) {
                x.add(((Number) timeAndValue.get(0)).doubleValue() - from);
                y.add(value);
            }
        }
        String name = LABEL.matcher(legend)
                .replaceAll(label -> Matcher.quoteReplacement(text(get(series, "metric"), label.group(1))));
        if (!x.isEmpty()) {
            chart.addSeries(name, x, y).setMarker(SeriesMarkers.NONE).setLineWidth(1.8f);
        }
        return y.stream().mapToDouble(Double::doubleValue).max().orElse(0);
    }

    private List<?> answer(String expression) throws IOException, InterruptedException {
        String query = expression
                .replace("$__rate_interval", "5s")
                // Without the instances for keys: they are too many to be told apart.
                .replace("$pipeline", "[^/]*")
                .replace("$job", ".*");
        URI address = URI.create(prometheus + "/api/v1/query_range?query="
                + URLEncoder.encode(query, StandardCharsets.UTF_8) + "&start=" + from + "&end=" + to + "&step=1");
        String answer = http.send(HttpRequest.newBuilder(address).build(), BodyHandlers.ofString())
                .body();
        return list(get(json(answer), "data"), "result");
    }

    // ---- JSON is YAML, too

    private static Object json(String text) {
        return new Yaml(new SafeConstructor(new LoaderOptions())).load(text);
    }

    private static Object get(Object parent, String key) {
        return Objects.requireNonNull(((Map<?, ?>) parent).get(key), key);
    }

    private static List<?> list(Object parent, String key) {
        return (List<?>) get(parent, key);
    }

    private static String text(Object parent, String key) {
        return get(parent, key).toString();
    }
}
