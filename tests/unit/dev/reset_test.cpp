// SPDX-License-Identifier: GPL-2.0
#include "dev/reset.hpp"

#include <gtest/gtest.h>

#include <array>

#include "dev/ports.hpp"

namespace vmctl {
namespace {

class ResetTest : public testing::Test {
 protected:
  unsigned status() { return test::in(keyboard.command(), 0); }
  unsigned data() { return test::in(keyboard.data(), 0); }
  void command(unsigned value) { test::out(keyboard.command(), 0, value); }
  void data(unsigned value) { test::out(keyboard.data(), 0, value); }
  unsigned answer(unsigned to) {
    command(to);
    EXPECT_EQ(status() & 0x01, 0x01U) << to;
    const unsigned value = data();
    EXPECT_EQ(status() & 0x01, 0x00U) << to;
    return value;
  }
  int resets = 0;
  std::function<void()> reset = [this] {
    ++resets;
    status();  // hangs if the lock were held
  };
  I8042 keyboard{reset};
  SystemControlA port_a{reset};
  ResetControl control{reset};
};

TEST_F(ResetTest, StatusOfTheKeyboardController) {
  EXPECT_EQ(status(), 0x10U);  // nothing there, not locked, last written was data
  command(0xae);
  EXPECT_EQ(status(), 0x18U);
  data(0xed);
  EXPECT_EQ(status(), 0x10U);  // and no keyboard answers
  command(0xaa);
  EXPECT_EQ(status(), 0x1dU);  // an answer, and the system flag
  EXPECT_EQ(data(), 0x55U);
  EXPECT_EQ(status(), 0x1cU);
  EXPECT_EQ(data(), 0x55U);  // the latch stays as it is
}

TEST_F(ResetTest, KeyboardControllerCommands) {
  EXPECT_EQ(answer(0xab), 0x00U);
  EXPECT_EQ(answer(0x20), 0x00U);
  command(0x60);
  data(0x45);
  EXPECT_EQ(answer(0x20), 0x45U);
  EXPECT_EQ(status() & 0x04, 0x04U);  // the system flag is a bit of the command byte
  data(0x00);                         // only the first byte after 0x60 is for it
  EXPECT_EQ(answer(0x20), 0x45U);
  command(0xa7);
  EXPECT_EQ(answer(0x20), 0x65U);
  command(0xad);
  EXPECT_EQ(answer(0x20), 0x75U);
  command(0xa8);
  EXPECT_EQ(answer(0x20), 0x55U);
  command(0xae);
  EXPECT_EQ(answer(0x20), 0x45U);
  command(0x60);
  command(0xab);  // another command in between
  data(0x00);
  EXPECT_EQ(answer(0x20), 0x45U);
  EXPECT_EQ(resets, 0);
}

TEST_F(ResetTest, KeyboardControllerPulses) {
  for (unsigned value = 0; value < 0x100; ++value) {
    resets = 0;
    command(value);
    EXPECT_EQ(resets, value >= 0xf0 && value % 2 == 0 ? 1 : 0) << value;
  }
}

TEST_F(ResetTest, KeyboardControllerOutputPort) {
  EXPECT_EQ(answer(0xd0), 0x03U);
  command(0xd1);
  data(0x01);  // A20 off, as far as anybody can see
  EXPECT_EQ(answer(0xd0), 0x01U);
  data(0x00);
  EXPECT_EQ(resets, 0);
  command(0xd1);
  data(0xfe);
  EXPECT_EQ(resets, 1);
  EXPECT_EQ(answer(0xd0), 0xffU);
}

TEST_F(ResetTest, SystemControlPortA) {
  EXPECT_EQ(test::in(port_a, 0), 0x02);
  test::out(port_a, 0, 0x00);
  EXPECT_EQ(test::in(port_a, 0), 0x00);
  test::out(port_a, 0, 0xfe);
  EXPECT_EQ(test::in(port_a, 0), 0x02);
  EXPECT_EQ(resets, 0);
  test::out(port_a, 0, 0x03);
  EXPECT_EQ(resets, 1);
  EXPECT_EQ(test::in(port_a, 0), 0x03);
  test::out(port_a, 0, 0x01);  // it is set already
  EXPECT_EQ(resets, 1);
  test::out(port_a, 0, 0x00);
  test::out(port_a, 0, 0x01);
  EXPECT_EQ(resets, 2);
}

TEST_F(ResetTest, ResetControlRegister) {
  EXPECT_EQ(test::in(control, 0), 0x00);
  test::out(control, 0, 0x02);
  EXPECT_EQ(test::in(control, 0), 0x02);
  EXPECT_EQ(resets, 0);
  test::out(control, 0, 0x06);
  EXPECT_EQ(resets, 1);
  test::out(control, 0, 0x0e);  // it is set already
  EXPECT_EQ(resets, 1);
  EXPECT_EQ(test::in(control, 0), 0x0e);
  test::out(control, 0, 0xfb);
  EXPECT_EQ(test::in(control, 0), 0x0a);
  EXPECT_EQ(resets, 1);
  test::out(control, 0, 0x04);  // a soft one
  EXPECT_EQ(resets, 2);
}

TEST_F(ResetTest, ReadsFillAllThatIsAskedFor) {
  for (Device* device :
       std::initializer_list<Device*>{&port_a, &control, &keyboard.command(), &keyboard.data()}) {
    std::array<std::uint8_t, 2> read{0xcc, 0xcc};
    device->read(0, read);
    EXPECT_NE(read[1], 0xcc);
  }
}

}  // namespace
}  // namespace vmctl
