// SPDX-License-Identifier: GPL-2.0-only
//
// One program, run on raw KVM and through the driver: each result and each byte
// that comes back must be the same.
#include <fcntl.h>
#include <sched.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <memory>

#include "commands.hpp"
#include "driver.hpp"

namespace {

using namespace t;

struct Step {
  std::string name;
  Ret result;
  Bytes bytes;  // what the call wrote
};

class Record {
 public:
  std::vector<Step> steps;

  Ret note(std::string name, Ret r) {
    steps.push_back({std::move(name), r, {}});
    return r;
  }
  // The structure goes in as it is and is kept as it came back.
  template <class T>
  Ret call(const char* name, int fd, unsigned long command, T* argument) {
    const Ret r = ctl(fd, command, argument);
    const auto* p = reinterpret_cast<const std::uint8_t*>(argument);
    steps.push_back({name, r, Bytes(p, p + sizeof *argument)});
    return r;
  }
};

#define CALL(fd, command, argument) record.call(#command, fd, command, argument)
#define NOTE(expression) record.note(#expression, expression)

using Cpuid = List<kvm_cpuid2, kvm_cpuid_entry2, 256>;
using MsrIndices = List<kvm_msr_list, std::uint32_t, 1024>;
using Msrs = List<kvm_msrs, kvm_msr_entry, 8>;
using Routing = List<kvm_irq_routing, kvm_irq_routing_entry, 4>;

void system_commands(Record& record, int system) {
  for (const unsigned room : {0U, 1U, 256U}) {
    auto cpuid = std::make_unique<Cpuid>(poisoned<Cpuid>());
    (*cpuid)->nent = room;
    CALL(system, KVM_GET_SUPPORTED_CPUID, cpuid.get());
    (*cpuid)->nent = room;
    CALL(system, KVM_GET_EMULATED_CPUID, cpuid.get());
  }
  for (const unsigned room : {0U, 1U, 1024U}) {
    auto indices = std::make_unique<MsrIndices>(poisoned<MsrIndices>());
    (*indices)->nmsrs = room;
    CALL(system, KVM_GET_MSR_INDEX_LIST, indices.get());
    (*indices)->nmsrs = room;
    CALL(system, KVM_GET_MSR_FEATURE_INDEX_LIST, indices.get());
  }
  Msrs msrs{};
  msrs->nmsrs = 1;
  msrs[0].index = 0x10a;  // IA32_ARCH_CAPABILITIES
  CALL(system, KVM_GET_MSRS, &msrs);
  std::uint64_t banks = 0xcccccccccccccccc;
  CALL(system, KVM_X86_GET_MCE_CAP_SUPPORTED, &banks);
  std::uint64_t mask = 0xcccccccccccccccc;
  kvm_device_attr attribute{
      .flags = 0, .group = 0, .attr = KVM_X86_XCOMP_GUEST_SUPP, .addr = address_of(&mask)};
  CALL(system, KVM_HAS_DEVICE_ATTR, &attribute);
  NOTE(ctl(system, KVM_GET_DEVICE_ATTR, &attribute));
  CALL(system, KVM_GET_API_VERSION, &mask);  // a pointer is no 0
}

void board(Record& record, int vm) {
  std::uint64_t identity = 0xfffbc000;
  CALL(vm, KVM_SET_IDENTITY_MAP_ADDR, &identity);
  NOTE(ctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000));
  NOTE(ctl(vm, KVM_CREATE_IRQCHIP));
  NOTE(ctl(vm, KVM_CREATE_IRQCHIP));  // EEXIST
  kvm_pit_config pit{};
  CALL(vm, KVM_CREATE_PIT2, &pit);
  kvm_pit_state2 state{};
  NOTE(ctl(vm, KVM_GET_PIT2, &state));  // holds the time
  NOTE(ctl(vm, KVM_SET_PIT2, &state));
  for (const unsigned id : {KVM_IRQCHIP_PIC_MASTER, KVM_IRQCHIP_PIC_SLAVE, KVM_IRQCHIP_IOAPIC, 9}) {
    auto chip = poisoned<kvm_irqchip>();
    chip.chip_id = id;
    chip.pad = 0;
    CALL(vm, KVM_GET_IRQCHIP, &chip);
    CALL(vm, KVM_SET_IRQCHIP, &chip);
  }
  Routing routing{};
  routing->nr = 2;
  routing[0].gsi = 4;
  routing[0].type = KVM_IRQ_ROUTING_IRQCHIP;
  routing[0].u.irqchip = {.irqchip = KVM_IRQCHIP_IOAPIC, .pin = 4};
  routing[1].gsi = 24;
  routing[1].type = KVM_IRQ_ROUTING_MSI;
  routing[1].u.msi.address_lo = 0xfee00000;
  routing[1].u.msi.data = 0x41;
  CALL(vm, KVM_SET_GSI_ROUTING, &routing);
  routing[1].type = 99;
  CALL(vm, KVM_SET_GSI_ROUTING, &routing);
  kvm_irq_level level{};
  level.irq = 4;
  level.level = 1;
  CALL(vm, KVM_IRQ_LINE, &level);
  level.level = 0;
  CALL(vm, KVM_IRQ_LINE_STATUS, &level);
  kvm_enable_cap split{};
  split.cap = KVM_CAP_SPLIT_IRQCHIP;
  split.args[0] = 24;
  CALL(vm, KVM_ENABLE_CAP, &split);  // too late: there is a chip
  kvm_enable_cap filter_exits{};
  filter_exits.cap = KVM_CAP_X86_USER_SPACE_MSR;
  filter_exits.args[0] = KVM_MSR_EXIT_REASON_FILTER;
  CALL(vm, KVM_ENABLE_CAP, &filter_exits);
  std::uint8_t allowed[8] = {0xff};
  kvm_msr_filter filter{};
  filter.flags = KVM_MSR_FILTER_DEFAULT_ALLOW;
  filter.ranges[0] = {.flags = KVM_MSR_FILTER_READ, .nmsrs = 8, .base = 0x600, .bitmap = allowed};
  NOTE(ctl(vm, KVM_X86_SET_MSR_FILTER, &filter));
  filter.flags = 0x80;
  NOTE(ctl(vm, KVM_X86_SET_MSR_FILTER, &filter));
  kvm_clock_data clock{};
  NOTE(ctl(vm, KVM_GET_CLOCK, &clock));
  clock.flags = 0;
  NOTE(ctl(vm, KVM_SET_CLOCK, &clock));
  clock.flags = 0xdead;
  NOTE(ctl(vm, KVM_SET_CLOCK, &clock));
  NOTE(ctl(vm, KVM_GET_NR_MMU_PAGES));
  NOTE(ctl(vm, KVM_CREATE_VCPU, 0xffffffff));
}

void events(Record& record, const Machine& machine) {
  const Fd bell(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  kvm_irqfd irqfd{};
  irqfd.fd = static_cast<std::uint32_t>(static_cast<int>(bell));
  irqfd.gsi = 4;
  NOTE(ctl(machine.vm, KVM_IRQFD, &irqfd));
  NOTE(ctl(machine.vm, KVM_IRQFD, &irqfd));  // EBUSY
  NOTE(::eventfd_write(bell, 1));
  irqfd.flags = KVM_IRQFD_FLAG_DEASSIGN;
  NOTE(ctl(machine.vm, KVM_IRQFD, &irqfd));
  irqfd.fd = static_cast<std::uint32_t>(-1);
  NOTE(ctl(machine.vm, KVM_IRQFD, &irqfd));
  kvm_msi msi{};
  msi.address_lo = 0xfee00000;
  msi.data = 0x41;
  CALL(machine.vm, KVM_SIGNAL_MSI, &msi);
  eventfd_t rung = 0;
  kvm_ioeventfd io{};
  io.addr = guest::kPort;
  io.len = 1;
  io.fd = bell;
  io.flags = KVM_IOEVENTFD_FLAG_PIO;
  NOTE(Ret::of(::eventfd_read(bell, &rung)));
  NOTE(ctl(machine.vm, KVM_IOEVENTFD, &io));
  NOTE(ctl(machine.vm, KVM_IOEVENTFD, &io));  // EEXIST
  NOTE(machine.cpu.reset());
  kvm_regs regs{};
  NOTE(machine.cpu.enter());  // the outs ring the bell: the first exit is the end
  NOTE(static_cast<long>(machine.cpu.run().exit_reason));
  NOTE(Ret::of(::eventfd_read(bell, &rung)));
  NOTE(static_cast<long>(rung));
  CALL(machine.cpu.fd, KVM_GET_REGS, &regs);
  io.flags |= KVM_IOEVENTFD_FLAG_DEASSIGN;
  NOTE(ctl(machine.vm, KVM_IOEVENTFD, &io));
  NOTE(ctl(machine.vm, KVM_IOEVENTFD, &io));  // ENOENT
}

void coalesced(Record& record, const Machine& machine) {
  kvm_coalesced_mmio_zone zone{};
  zone.addr = guest::kPort;
  zone.size = 1;
  zone.pio = 1;
  CALL(machine.vm, KVM_REGISTER_COALESCED_MMIO, &zone);
  NOTE(machine.cpu.reset());
  NOTE(machine.cpu.enter());
  NOTE(static_cast<long>(machine.cpu.run().exit_reason));
  // The third page of the mapping holds the ring.
  const auto* ring =
      reinterpret_cast<const kvm_coalesced_mmio_ring*>(machine.cpu.page.data() + 2 * page_size());
  NOTE(static_cast<long>(ring->last));
  NOTE(static_cast<long>(ring->coalesced_mmio[0].data[0]));
  CALL(machine.vm, KVM_UNREGISTER_COALESCED_MMIO, &zone);
}

void slots(Record& record, const Machine& machine) {
  const Mapping more = Mapping::memory(0x4000);
  NOTE(set_slot(machine.vm, 1, 0x20000, 0x4000, more.address(), KVM_MEM_LOG_DIRTY_PAGES));
  NOTE(set_slot(machine.vm, 2, 0x22000, 0x4000, more.address()));  // EEXIST: they overlap
  NOTE(set_slot(machine.vm, 2, 0x30001, 0x4000, more.address()));  // EINVAL: not aligned
  NOTE(set_slot(machine.vm, 0x7fff0000, 0x40000, 0x4000, more.address()));
  std::uint64_t bitmap[1] = {0xcccccccccccccccc};
  kvm_dirty_log log{};
  log.slot = 1;
  log.dirty_bitmap = bitmap;
  NOTE(ctl(machine.vm, KVM_GET_DIRTY_LOG, &log));
  NOTE(static_cast<long>(bitmap[0]));
  log.slot = 0;
  NOTE(ctl(machine.vm, KVM_GET_DIRTY_LOG, &log));  // ENOENT: not logged
  NOTE(set_slot(machine.vm, 1, 0, 0, 0));
}

// All states of a vCPU: read, written back, read again.
void vcpu_state(Record& record, int fd) {
  kvm_regs regs{};
  CALL(fd, KVM_GET_REGS, &regs);
  regs.rax = 0x1234567890abcdef;
  CALL(fd, KVM_SET_REGS, &regs);
  CALL(fd, KVM_GET_REGS, &regs);
  kvm_sregs sregs{};
  CALL(fd, KVM_GET_SREGS, &sregs);
  CALL(fd, KVM_SET_SREGS, &sregs);
  sregs.cr4 = 0xffffffff00000000;
  CALL(fd, KVM_SET_SREGS, &sregs);
  kvm_sregs2 sregs2{};
  CALL(fd, KVM_GET_SREGS2, &sregs2);
  CALL(fd, KVM_SET_SREGS2, &sregs2);
  kvm_fpu fpu{};
  CALL(fd, KVM_GET_FPU, &fpu);
  fpu.fcw = 0x37f;
  CALL(fd, KVM_SET_FPU, &fpu);
  CALL(fd, KVM_GET_FPU, &fpu);
  kvm_lapic_state lapic{};
  CALL(fd, KVM_GET_LAPIC, &lapic);
  CALL(fd, KVM_SET_LAPIC, &lapic);
  kvm_mp_state state{};
  CALL(fd, KVM_GET_MP_STATE, &state);
  CALL(fd, KVM_SET_MP_STATE, &state);
  state.mp_state = 99;
  CALL(fd, KVM_SET_MP_STATE, &state);
  kvm_debugregs debug{};
  CALL(fd, KVM_GET_DEBUGREGS, &debug);
  CALL(fd, KVM_SET_DEBUGREGS, &debug);
  kvm_vcpu_events events{};
  CALL(fd, KVM_GET_VCPU_EVENTS, &events);
  CALL(fd, KVM_SET_VCPU_EVENTS, &events);
  events.flags = 0xffffffff;
  CALL(fd, KVM_SET_VCPU_EVENTS, &events);
  alignas(64) kvm_xsave xsave{};
  CALL(fd, KVM_GET_XSAVE, &xsave);
  CALL(fd, KVM_SET_XSAVE, &xsave);
  alignas(64) auto xsave2 = poisoned<List<kvm_xsave, std::uint8_t, 16384>>();
  CALL(fd, KVM_GET_XSAVE2, &xsave2);
  kvm_xcrs xcrs{};
  CALL(fd, KVM_GET_XCRS, &xcrs);
  CALL(fd, KVM_SET_XCRS, &xcrs);
  // The count of what was done is the result: the third is no MSR.
  Msrs msrs{};
  msrs->nmsrs = 3;
  msrs[0] = {.index = 0xc0000081, .data = 0x23001000000000};  // STAR
  msrs[1] = {.index = 0x174, .data = 8};                      // SYSENTER_CS
  msrs[2] = {.index = 0xdeadbeef};
  CALL(fd, KVM_SET_MSRS, &msrs);
  msrs[0].data = msrs[1].data = 0xcccc;
  CALL(fd, KVM_GET_MSRS, &msrs);
  msrs->nmsrs = 100000;
  NOTE(ctl(fd, KVM_GET_MSRS, &msrs));  // E2BIG
  NOTE(ctl(fd, KVM_GET_TSC_KHZ));
  NOTE(ctl(fd, KVM_SET_TSC_KHZ, ctl(fd, KVM_GET_TSC_KHZ).value));
  std::uint64_t mce = 10;
  CALL(fd, KVM_X86_SETUP_MCE, &mce);
  kvm_tpr_access_ctl tpr{};
  CALL(fd, KVM_TPR_ACCESS_REPORTING, &tpr);
  kvm_vapic_addr vapic{};
  CALL(fd, KVM_SET_VAPIC_ADDR, &vapic);
  NOTE(ctl(fd, KVM_KVMCLOCK_CTRL));
  List<kvm_nested_state, std::uint8_t, 8192> nested{};
  nested->size = sizeof nested;
  CALL(fd, KVM_GET_NESTED_STATE, &nested);
  NOTE(ctl(fd, KVM_SET_NESTED_STATE, &nested));
  kvm_translation translation{};
  translation.linear_address = 0x1000;
  CALL(fd, KVM_TRANSLATE, &translation);
}

void run_controls(Record& record, const Machine& machine) {
  // A signal mask of the wrong size, then the right one.
  List<kvm_signal_mask, std::uint8_t, 8> mask{};
  mask->len = 4;
  CALL(machine.cpu.fd, KVM_SET_SIGNAL_MASK, &mask);
  mask->len = 8;
  CALL(machine.cpu.fd, KVM_SET_SIGNAL_MASK, &mask);
  NOTE(ctl(machine.cpu.fd, KVM_SET_SIGNAL_MASK));
  // One instruction at a time.
  NOTE(machine.cpu.reset());
  kvm_guest_debug debug{};
  debug.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP;
  CALL(machine.cpu.fd, KVM_SET_GUEST_DEBUG, &debug);
  for (int i = 0; i < 2; ++i) {
    NOTE(machine.cpu.enter());
    NOTE(static_cast<long>(machine.cpu.run().exit_reason));
    kvm_regs regs{};
    CALL(machine.cpu.fd, KVM_GET_REGS, &regs);
  }
  debug.control = 0;
  CALL(machine.cpu.fd, KVM_SET_GUEST_DEBUG, &debug);
  NOTE(ctl(machine.cpu.fd, KVM_NMI));
  machine.cpu.run().immediate_exit = 1;
  NOTE(machine.cpu.enter());
  NOTE(static_cast<long>(machine.cpu.run().exit_reason));
  machine.cpu.run().immediate_exit = 0;
}

void cpuid(Record& record, const Machine& machine) {
  auto list = std::make_unique<Cpuid>();
  (*list)->nent = 256;
  NOTE(ctl(machine.system, KVM_GET_SUPPORTED_CPUID, list.get()));
  NOTE(ctl(machine.cpu.fd, KVM_SET_CPUID2, list.get()));
  (*list)->nent = 100000;
  NOTE(ctl(machine.cpu.fd, KVM_SET_CPUID2, list.get()));
  (*list)->nent = 0;
  CALL(machine.cpu.fd, KVM_GET_CPUID2, list.get());  // E2BIG, and how many
  (*list)->nent = 256;
  CALL(machine.cpu.fd, KVM_GET_CPUID2, list.get());
}

void odd_files(Record& record, const Machine& machine) {
  char byte = 0;
  NOTE(Ret::of(::read(machine.vm, &byte, 1)));
  NOTE(Ret::of(::write(machine.vm, &byte, 1)));
  NOTE(Ret::of(::read(machine.cpu.fd, &byte, 1)));
  NOTE(Ret::of(::write(machine.cpu.fd, &byte, 1)));
  const Mapping of_vm(page_size(), PROT_READ, MAP_SHARED, machine.vm);
  NOTE(of_vm.valid() ? Ret(0) : Ret(-errno));
  const Mapping of_system(page_size(), PROT_READ, MAP_SHARED, machine.system);
  NOTE(of_system.valid() ? Ret(0) : Ret(-errno));
  for (const std::size_t pages : {1UL, 3UL, 4UL, 8UL}) {
    const Mapping page(pages * page_size(), PROT_READ, MAP_SHARED, machine.cpu.fd);
    NOTE(page.valid() ? Ret(0) : Ret(-errno));
  }
  for (const int protection : {PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC}) {
    const Mapping page(page_size(), protection, MAP_PRIVATE, machine.cpu.fd);
    NOTE(page.valid() ? Ret(0) : Ret(-errno));
  }
}

std::vector<Step> program(const std::string& path) {
  Record record;
  Machine machine(guest::add(), path);
  NOTE(machine.built);
  system_commands(record, machine.system);
  std::string out;
  NOTE(machine.run(&out));
  record.steps.push_back({"output", 0, Bytes(out.begin(), out.end())});
  cpuid(record, machine);
  coalesced(record, machine);
  run_controls(record, machine);
  slots(record, machine);
  odd_files(record, machine);
  NOTE(ctl(machine.vm, KVM_CREATE_VCPU));  // EEXIST

  // A second one with interrupt controllers, which must come before the vCPU.
  const Fd vm(ctl(machine.system, KVM_CREATE_VM));
  board(record, vm);
  Machine full({}, Fd(::dup(vm)), guest::add());
  NOTE(full.built);
  vcpu_state(record, full.cpu.fd);

  // A third one of which the first vCPU does not exit on hlt.
  Machine ringing(guest::add(), path);
  NOTE(ctl(ringing.vm, KVM_CREATE_IRQCHIP));
  events(record, ringing);
  return std::move(record.steps);
}

using Differential = Own;

TEST_F(Differential, OneProgramOnBothDevices) {
  // CPUID tells the number of the CPU: stay on one.
  cpu_set_t before;
  cpu_set_t first;
  CPU_ZERO(&first);
  CPU_SET(0, &first);
  ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
  ASSERT_EQ(::sched_setaffinity(0, sizeof first, &first), 0);
  const std::vector<Step> raw = program("/dev/kvm");
  const std::vector<Step> ours = program(device());
  ::sched_setaffinity(0, sizeof before, &before);

  ASSERT_EQ(raw.size(), ours.size());
  std::size_t failed = 0;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    EXPECT_EQ(ours[i].name, raw[i].name);
    EXPECT_EQ(ours[i].result, raw[i].result) << "step " << i << ": " << raw[i].name;
    EXPECT_TRUE(ours[i].bytes == raw[i].bytes) << "step " << i << ": bytes of " << raw[i].name;
    if (!raw[i].result.ok()) ++failed;
  }
  // Both kinds of answers were compared.
  EXPECT_GT(failed, 20U);
  EXPECT_GT(raw.size() - failed, 80U);
  RecordProperty("steps", static_cast<int>(raw.size()));
}

}  // namespace
