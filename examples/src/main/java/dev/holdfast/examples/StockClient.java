/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples;

/** How the shop asks the stock service; blocks its thread for as long as it takes. Safe for threads. */
interface StockClient extends AutoCloseable {
    /**
     * What the shop gets to know.
     *
     * @param source {@code LIVE}, or where else the answer came from
     */
    record Answer(String article, String source) {}

    /**
     * Asks for an article.
     *
     * @throws Exception if no right answer was to be had
     */
    Answer ask(String sku) throws Exception;

    @Override
    default void close() {}
}
