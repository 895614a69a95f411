/* SPDX-License-Identifier: Apache-2.0 */
package dev.holdfast.examples.springshop.shop;

/**
 * What both services answer.
 *
 * @param at when it was right, in milliseconds
 */
record Item(int value, long at) {}
