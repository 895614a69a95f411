/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.collapse;

import java.awt.BasicStroke;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Charts one below the other, with the same colours in each. Needs no screen. */
final class Picture {
    private static final Color SHADE = new Color(0xF6, 0xE3, 0xDC);
    private static final Color[] COLORS = {
        new Color(0xB0, 0x3A, 0x2E),
        new Color(0xE0, 0xA8, 0x2E),
        new Color(0x77, 0x77, 0x77),
        new Color(0x3A, 0x6E, 0xA5),
        new Color(0x3B, 0x8E, 0x5A)
    };

    private final List<XYChart> charts = new ArrayList<>();

    /** Begins a chart, which the lines that follow belong to. */
    Picture chart(String title, String x, String y) {
        XYChart chart = new XYChartBuilder()
                .width(900)
                .height(260)
                .title(title)
                .xAxisTitle(x)
                .yAxisTitle(y)
                .build();
        chart.getStyler()
                .setYAxisMin(0.0)
                .setXAxisMin(0.0)
                .setPlotGridVerticalLinesVisible(false)
                .setLegendPosition(Styler.LegendPosition.OutsideE)
                .setChartBackgroundColor(Color.WHITE);
        charts.add(chart);
        return this;
    }

    /** Marks a part of the time, up to this height. */
    Picture shade(double from, double to, double height) {
        XYSeries series = last().addSeries("trigger", new double[] {from, to}, new double[] {height, height});
        series.setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Area)
                .setMarker(SeriesMarkers.NONE)
                .setLineColor(SHADE)
                .setFillColor(SHADE);
        return this;
    }

    /** The last line is Holdfast's, and always green. */
    Picture line(String name, int index, int of, double[] x, double[] y) {
        Color color = COLORS[index == of - 1 ? COLORS.length - 1 : index];
        last().addSeries(name, x, y)
                .setMarker(SeriesMarkers.NONE)
                .setLineColor(color)
                .setLineStyle(new BasicStroke(1.8f));
        return this;
    }

    private XYChart last() {
        return charts.get(charts.size() - 1);
    }

    /** Writes a PNG. */
    void write(Path file) throws IOException {
        System.setProperty("java.awt.headless", "true");
        try (var out = Files.newOutputStream(file)) {
            BitmapEncoder.saveBitmap(charts, charts.size(), 1, out, BitmapEncoder.BitmapFormat.PNG);
        }
    }
}
