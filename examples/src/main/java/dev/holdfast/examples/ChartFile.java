/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.knowm.xchart.AnnotationText;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/**
 * The run as a picture: the answers of either side, and the calls that reached the service, over time. The colours are of
 * the palette of Okabe and Ito, which colour-blind people can tell apart.
 */
final class ChartFile {
    private static final Color ILL = new Color(0xE8, 0xE8, 0xE8);
    private static final Color TEXT = new Color(0x44, 0x44, 0x44);
    private static final Color BLUE = new Color(0x00, 0x72, 0xB2);
    private static final Color ORANGE = new Color(0xE6, 0x9F, 0x00);
    private static final Color VERMILLION = new Color(0xD5, 0x5E, 0x00);
    private static final Color PALE_VERMILLION = new Color(0xF7, 0xD9, 0xC4);
    private static final BasicStroke SOLID = new BasicStroke(2.4f);
    /** XChart draws each piece of a curve alone, about 7 pixels long: a longer dash would look like a solid line. */
    private static final BasicStroke DASHED =
            new BasicStroke(2.4f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 1, new float[] {4, 3}, 0);

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
                    List.of(answers("bare client", bare), answers("Holdfast", holdfast), calls()),
                    3,
                    1,
                    out,
                    BitmapEncoder.BitmapFormat.PNG);
        }
    }

    /** Each area stands on the one before: their height together is what was asked. */
    private XYChart answers(String name, Side side) {
        Scoreboard answers = side.answers();
        Curve sent =
                new Curve(timeline, (from, to) -> answers.sentBetween(from, to).requests());
        Curve right =
                new Curve(timeline, (from, to) -> answers.sentBetween(from, to).right());
        Curve live =
                new Curve(timeline, (from, to) -> answers.sentBetween(from, to).live());
        XYChart chart = chart(answersTitle(name, side), "seconds, by when the customer asked", sent.highest());
        area(chart, "errors", sent, VERMILLION, PALE_VERMILLION).setLineStyle(DASHED);
        area(chart, "stale answers", right, ORANGE, ORANGE);
        area(chart, "live answers", live, BLUE, BLUE);
        return chart;
    }

    private String answersTitle(String name, Side side) {
        Tally all = side.answers().sentBetween(0, timeline.endNanos());
        return String.format(
                Locale.ROOT,
                "%s: %s of %s answers right (%s), %s live and %s stale; 99 %% within %s",
                name,
                Report.number(all.right()),
                Report.number(all.requests()),
                Report.percent(all),
                Report.number(all.live()),
                Report.number(all.stale()),
                Style.millis(all.p99Millis()));
    }

    private XYChart calls() {
        Curve plain = new Curve(timeline, bare.calls()::between);
        Curve held = new Curve(timeline, holdfast.calls()::between);
        String title = String.format(
                Locale.ROOT,
                "calls to the stock service while it was ill: bare client %s, Holdfast %s",
                Report.number(Claims.callsWhileIll(timeline, bare)),
                Report.number(Claims.callsWhileIll(timeline, holdfast)));
        XYChart chart = chart(title, "seconds", plain.highest());
        line(chart, "calls of the bare client", plain, VERMILLION, DASHED);
        line(chart, "calls of Holdfast", held, BLUE, SOLID);
        return chart;
    }

    private XYChart chart(String title, String xTitle, double highest) {
        double top = 1.3 * Math.max(1, highest);
        XYChart chart = new XYChartBuilder()
                .width(1200)
                .height(340)
                .title(title)
                .xAxisTitle(xTitle)
                .yAxisTitle("a second")
                .build();
        // The same margins left and right in each chart: so the seconds of all charts stand below one another.
        chart.getStyler()
                .setYAxisMin(0.0)
                .setYAxisMax(top)
                .setXAxisMin(0.0)
                .setXAxisMax(seconds(timeline.endNanos()))
                .setPlotMargin(0)
                .setPlotGridVerticalLinesVisible(false)
                .setAxisTickLabelsFont(font(Font.PLAIN, 15))
                .setAxisTitleFont(font(Font.PLAIN, 15))
                .setYAxisLeftWidthHint(90)
                .setPlotContentSize(0.98)
                .setChartTitlePadding(10)
                .setChartTitleFont(font(Font.BOLD, 18))
                .setLegendFont(font(Font.PLAIN, 15))
                .setLegendPosition(Styler.LegendPosition.OutsideS)
                .setLegendLayout(Styler.LegendLayout.Horizontal)
                .setLegendBorderColor(Color.WHITE)
                .setChartBackgroundColor(Color.WHITE)
                .setAnnotationTextFont(font(Font.PLAIN, 16))
                .setAnnotationTextFontColor(TEXT);
        for (Phase fault : timeline.faults()) {
            shade(chart, fault, top);
        }
        return chart;
    }

    private static void shade(XYChart chart, Phase fault, double top) {
        double from = seconds(fault.startNanos());
        double to = seconds(fault.endNanos());
        XYSeries series = chart.addSeries(fault.name(), new double[] {from, to}, new double[] {top, top});
        style(series, ILL, SOLID)
                .setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Area)
                .setFillColor(ILL)
                .setShowInLegend(false);
        chart.addAnnotation(new AnnotationText(fault.name(), (from + to) / 2, 0.92 * top, false));
    }

    private static XYSeries area(XYChart chart, String name, Curve curve, Color line, Color fill) {
        XYSeries series = line(chart, name, curve, line, SOLID);
        series.setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Area).setFillColor(fill);
        return series;
    }

    private static XYSeries line(XYChart chart, String name, Curve curve, Color color, BasicStroke stroke) {
        return style(chart.addSeries(name, curve.seconds(), curve.perSecond()), color, stroke);
    }

    private static XYSeries style(XYSeries series, Color color, BasicStroke stroke) {
        series.setMarker(SeriesMarkers.NONE).setLineColor(color).setLineStyle(stroke);
        return series;
    }

    private static Font font(int style, int size) {
        return new Font(Font.SANS_SERIF, style, size);
    }

    private static double seconds(long nanos) {
        return (double) nanos / TimeUnit.SECONDS.toNanos(1);
    }
}
