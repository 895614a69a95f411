/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import java.awt.BasicStroke;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongBinaryOperator;
import org.knowm.xchart.AnnotationText;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** The run as a picture: the answers of either side, and the calls that reached the service, over time. */
final class ChartFile {
    private static final Color ILL = new Color(0xF6, 0xE3, 0xDC);
    private static final Color LIVE = new Color(0x3B, 0x8E, 0x5A);
    private static final Color STALE = new Color(0xE0, 0xA8, 0x2E);
    private static final Color BARE = new Color(0xB0, 0x3A, 0x2E);
    private static final Color SENT = new Color(0x33, 0x33, 0x33);
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private static final long STEP = SECOND / 4;

    private final Timeline timeline;
    private final Side bare;
    private final Side holdfast;

    ChartFile(Contest contest) {
        this.timeline = contest.timeline();
        this.bare = contest.bare();
        this.holdfast = contest.holdfast();
    }

    /** Writes a PNG. Needs no screen. */
    void write(Path file) throws IOException {
        System.setProperty("java.awt.headless", "true");
        try (var out = Files.newOutputStream(file)) {
            BitmapEncoder.saveBitmap(
                    List.of(answers(bare), answers(holdfast), calls()), 3, 1, out, BitmapEncoder.BitmapFormat.PNG);
        }
    }

    private XYChart answers(Side side) {
        Scoreboard answers = side.answers();
        double[] sent = perSecond((from, to) -> answers.sentBetween(from, to).requests());
        XYChart chart = chart(side.name() + ": answers a second", sent);
        area(
                chart,
                "stale",
                perSecond((from, to) -> answers.sentBetween(from, to).right()),
                STALE);
        area(
                chart,
                "live",
                perSecond((from, to) -> answers.sentBetween(from, to).live()),
                LIVE);
        line(chart, "sent", sent, SENT);
        return chart;
    }

    private XYChart calls() {
        double[] plain = perSecond(bare.calls()::between);
        XYChart chart = chart("calls a second that reached the stock service", plain);
        line(chart, "bare", plain, BARE);
        line(chart, "holdfast", perSecond(holdfast.calls()::between), LIVE);
        return chart;
    }

    private XYChart chart(String title, double[] highest) {
        double top = 1.15 * Arrays.stream(highest).max().orElse(1);
        XYChart chart = new XYChartBuilder()
                .width(1200)
                .height(330)
                .title(title)
                .xAxisTitle("seconds")
                .build();
        chart.getStyler()
                .setYAxisMin(0.0)
                .setYAxisMax(top)
                .setXAxisMin(0.0)
                .setXAxisMax(seconds(timeline.endNanos()))
                .setPlotGridVerticalLinesVisible(false)
                .setLegendPosition(Styler.LegendPosition.OutsideE)
                .setChartBackgroundColor(Color.WHITE)
                .setAnnotationTextFontColor(BARE);
        for (Phase fault : timeline.faults()) {
            shade(chart, fault, top);
        }
        return chart;
    }

    private static void shade(XYChart chart, Phase fault, double top) {
        double from = seconds(fault.startNanos());
        double to = seconds(fault.endNanos());
        XYSeries series = chart.addSeries(fault.name(), new double[] {from, to}, new double[] {top, top});
        series.setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Area)
                .setMarker(SeriesMarkers.NONE)
                .setLineColor(ILL)
                .setFillColor(ILL)
                .setShowInLegend(false);
        chart.addAnnotation(new AnnotationText(fault.name(), (from + to) / 2, 0.95 * top, false));
    }

    private void area(XYChart chart, String name, double[] values, Color color) {
        chart.addSeries(name, times(), values)
                .setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Area)
                .setMarker(SeriesMarkers.NONE)
                .setLineColor(color)
                .setFillColor(color);
    }

    private void line(XYChart chart, String name, double[] values, Color color) {
        chart.addSeries(name, times(), values)
                .setMarker(SeriesMarkers.NONE)
                .setLineColor(color)
                .setLineStyle(new BasicStroke(1.6f));
    }

    private double[] times() {
        double[] times = new double[points()];
        for (int i = 0; i < times.length; i++) {
            times[i] = seconds(i * STEP + SECOND / 2);
        }
        return times;
    }

    /** Counts over a second that slides by a quarter. */
    private double[] perSecond(LongBinaryOperator count) {
        double[] values = new double[points()];
        for (int i = 0; i < values.length; i++) {
            values[i] = count.applyAsLong(i * STEP, i * STEP + SECOND);
        }
        return values;
    }

    private int points() {
        return (int) ((timeline.endNanos() - SECOND) / STEP) + 1;
    }

    private static double seconds(long nanos) {
        return (double) nanos / SECOND;
    }
}
