// SPDX-License-Identifier: GPL-2.0
#include "console/keyboard.hpp"

#include <gtest/gtest.h>

namespace vmctl {
namespace {

// Each action as a letter and what is in it.
std::string told(const std::vector<Keyboard::Action>& actions) {
  std::string text;
  for (const auto& action : actions) {
    if (const auto* typed = std::get_if<Keyboard::Type>(&action)) text += "T" + typed->bytes + "|";
    if (const auto* shown = std::get_if<Keyboard::Show>(&action)) text += "S" + shown->text + "|";
    if (const auto* line = std::get_if<Keyboard::Line>(&action)) text += "L" + line->text + "|";
    if (std::holds_alternative<Keyboard::Quit>(action)) text += "Q|";
    if (std::holds_alternative<Keyboard::Detach>(action)) text += "D|";
  }
  return text;
}

class KeyboardTest : public testing::Test {
 protected:
  std::string feed(std::string_view keys) {
    return told(keyboard.feed({reinterpret_cast<const std::uint8_t*>(keys.data()), keys.size()}));
  }
  Keyboard keyboard;
};

TEST_F(KeyboardTest, WhatIsNoEscapeIsTheGuests) {
  EXPECT_EQ(feed("ls\r\x03\x04\x1b[A\x7f"), "Tls\r\x03\x04\x1b[A\x7f|");
}

TEST_F(KeyboardTest, Escapes) {
  EXPECT_EQ(feed("a\x01x"), "Ta|Q|");
  EXPECT_EQ(feed("\x01"), "");
  EXPECT_EQ(feed("d"), "D|");
  EXPECT_EQ(feed("\x01"
                 "a\x01\x01z"),
            "T\x01\x01z|");
  EXPECT_EQ(feed("\x01?").find("S\r\nCtrl-A x"), 0U);
  EXPECT_EQ(feed("\x01q!"), "T!|");  // none: nobody's
}

TEST_F(KeyboardTest, AMonitorLineIsEditedAndAnswered) {
  EXPECT_EQ(feed("\x01"
                 "c"),
            "S\r\n(vmctl) |");
  EXPECT_TRUE(keyboard.in_monitor());
  EXPECT_EQ(feed("infx\x7fo\r"), "Sinfx\b \bo\r\n|Linfo|");
  EXPECT_EQ(told(keyboard.answered("well\r\n", false)), "Swell\r\n(vmctl) |");
  EXPECT_EQ(feed("quit\x15regs\r"), "Squit\b \b\b \b\b \b\b \bregs\r\n|Lregs|");
  EXPECT_EQ(told(keyboard.answered("", true)), "S\r\n|");
  EXPECT_FALSE(keyboard.in_monitor());
  EXPECT_EQ(feed("x"), "Tx|");
}

TEST_F(KeyboardTest, WaysBackToTheConsole) {
  for (const char* keys : {"\r", "  \r", "\x04",
                           "\x01"
                           "c"}) {
    feed(
        "\x01"
        "c");
    ASSERT_TRUE(keyboard.in_monitor());
    feed(keys);
    EXPECT_FALSE(keyboard.in_monitor()) << keys;
  }
}

TEST_F(KeyboardTest, LinesWaitForTheAnswerBeforeThem) {
  feed(
      "\x01"
      "c");
  EXPECT_EQ(feed("a\rb\rc"), "Sa\r\n|La|");
  EXPECT_EQ(told(keyboard.answered("", false)), "S(vmctl) b\r\n|Lb|");
  EXPECT_EQ(feed("\x01x"), "Q|");  // not even a monitor that hangs is a trap
  EXPECT_EQ(told(keyboard.answered("", false)), "S(vmctl) c|");
  EXPECT_EQ(told(keyboard.answered("nobody asked", false)), "");
}

TEST_F(KeyboardTest, WhatIsTypedBehindTheWayBackIsTheGuests) {
  feed(
      "\x01"
      "ccont\rls");
  EXPECT_EQ(told(keyboard.answered("", true)), "S\r\n|Tls|");
}

TEST_F(KeyboardTest, AnAnswerThatComesLateIsNotThePromptOfTheConsole) {
  feed(
      "\x01"
      "cpause\r");
  feed(
      "\x01"
      "c");
  EXPECT_FALSE(keyboard.in_monitor());
  EXPECT_EQ(told(keyboard.answered("paused\r\n", false)), "Spaused\r\n|");
}

TEST_F(KeyboardTest, ALineHasABound) {
  feed(
      "\x01"
      "c");
  const std::string line = feed(std::string(10000, 'x') + "\r");
  EXPECT_EQ(line.substr(line.find("|L")), "|L" + std::string(256, 'x') + "|");
}

}  // namespace
}  // namespace vmctl
