#include "cli/command_line.hpp"

#include <fmt/format.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <limits>
#include <map>
#include <new>

#include "cli/man_page.hpp"
#include "cli/usage_error.hpp"
#include "nngpcheck/analytic/error.hpp"
#include "nngpcheck/architectures/options.hpp"
#include "nngpcheck/compare/error.hpp"
#include "nngpcheck/compare/runs/run.hpp"
#include "nngpcheck/config/experiment.hpp"
#include "nngpcheck/files/utf8.hpp"
#include "nngpcheck/netsor/error.hpp"
#include "nngpcheck/support/error.hpp"
#include "nngpcheck/support/spelling.hpp"

namespace nngpcheck::cli {

namespace {

// sysexits.h: EX_USAGE, and EX_SOFTWARE for what is not the user's fault.
constexpr int bad_usage_or_input = 64;
constexpr int failure = 70;
constexpr int missed = 1;         // a wrong kernel
constexpr int no_limit = 1;       // of a model
constexpr int interrupted = 130;  // as shells say it of SIGINT

constexpr const char* exit_statuses =
    "Exit status: 0 success, or all agree; 1 a kernel disagrees, power missed a wrong one, or an imported "
    "model has no limit; 2 inconclusive; 64 bad usage or input; 70 any other failure; 130 interrupted.";

/// The command line as CLI11 sees it, and the options it fills in.
struct CommandLine {
  explicit CommandLine(const NetworkCommands& networks);

  CLI::App app{"Checks that wide random networks and their Gaussian-process kernel agree.", "nngpcheck"};
  ShowOptions show_options;
  KernelOptions kernel_options;
  RunOptions run_options;
  MergeOptions merge_options;
  CheckOptions check_options;
  PlotOptions plot_options;
  DualOptions dual_options;
  PowerOptions power_options;
  ImportOptions import_options;
  LawOptions law_options;
  WidthOptions width_options;
  int status = 0;

 private:
  const NetworkCommands& networks_;

  CLI::App& command(const std::string& name, const std::string& description, std::function<void()> work) {
    CLI::App* result = app.add_subcommand(name, description);
    result->callback(std::move(work));
    return *result;
  }
  void add_overrides(CLI::App& command, std::vector<std::string>& overrides) {
    command
        .add_option("--set", overrides, "override a key of the experiment file: --set architecture.depth=3")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
  }
  void add_file(CLI::App& command, std::filesystem::path& file) {
    command.add_option("file", file, "an experiment file, a program, or a model's archive")
        ->required()
        ->type_name("FILE.toml|FILE.netsor|FILE.nngp");
  }
  void add_quiet(CLI::App& command, bool& quiet) { command.add_flag("--quiet", quiet, "show no progress"); }
  void add_inputs(CLI::App& command, std::optional<std::int64_t>& inputs) {
    command.add_option("--inputs", inputs, "of so many of the inputs, chosen at random; default: of all")
        ->check(CLI::Range(1, std::numeric_limits<int>::max()))
        ->option_text("N");
  }
  void add_networks(CLI::App& command, std::string& sampler, int& threads, std::size_t& memory);
  void add_kernel();
  void add_run();
  void add_merge();
  void add_check();
  void add_power();
  void add_import();
  void add_law();
  void add_width();
};

CommandLine::CommandLine(const NetworkCommands& networks) : networks_(networks) {
  app.set_version_flag("--version", version());
  app.footer(exit_statuses);
  const auto print_man_page = [this] {
    fmt::print("{}", man_page(app));
    throw CLI::Success();
  };
  app.add_flag_callback("--man-page", print_man_page)->group("");  // hidden: for the build
  app.require_subcommand(0, 1);  // check_command() has a better message for none
  command("list", "architectures and activations, with their options", list);

  CLI::App& showing = command("show", "a program as text", [this] { show(show_options); });
  showing.add_option("program", show_options.what, "an architecture, or an experiment file")
      ->required()
      ->type_name("ARCH|FILE.toml|FILE.netsor|FILE.nngp");
  CLI::Option* plan = showing.add_flag("--plan", show_options.plan,
                                       "how its limit is computed: rules, evaluations and errors");
  showing
      .add_option(
          "--format", show_options.format,
          "paper (default): as the paper writes it; netsor: with all constants, as every command reads it")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, ShowFormat>{{"paper", ShowFormat::paper}, {"netsor", ShowFormat::netsor}}))
      ->option_text("FORMAT")
      ->excludes(plan);
  showing.add_option("--experiment", show_options.experiment, "the experiment, if the file holds several")
      ->type_name("NAME");
  add_quiet(showing, show_options.quiet);
  add_overrides(showing, show_options.overrides);

  add_kernel();
  add_run();
  add_merge();
  add_check();
  add_power();
  add_import();
  add_law();
  add_width();

  CLI::App& plotting =
      command("plot", "width-versus-error plots of finished runs", [this] { plot(plot_options); });
  plotting.add_option("folders", plot_options.folders, "folders of runs")->required()->type_name("DIR...");
  plotting
      .add_option("-o,--output", plot_options.output,
                  "NAME.svg and NAME.png are written; default: DIR/width_error, or ./width_error for several")
      ->type_name("NAME");

  CLI::App& computing =
      command("dual", "E[phi(u) phi(v)] for (u, v) ~ N(0, [[A, C], [C, B]])", [this] { dual(dual_options); });
  computing
      .add_option("activation", dual_options.activation,
                  "phi: a name, or an expression in x such as \"x*tanh(x)\"")
      ->required()
      ->type_name("ACTIVATION");
  computing.add_option("A", dual_options.variance_u, "variance of u")->required()->option_text(" ");
  computing.add_option("B", dual_options.variance_v, "variance of v")->required()->option_text(" ");
  computing.add_option("C", dual_options.covariance, "covariance")->required()->option_text(" ");
}

void CommandLine::add_kernel() {
  CLI::App& computing =
      command("kernel", "the analytic kernel", [this] { networks_.kernel(kernel_options); });
  add_file(computing, kernel_options.file);
  computing.add_option("-o,--output", kernel_options.output, "write it to a .npy, .csv or .json file")
      ->type_name("K");
  computing
      .add_option("--rows", kernel_options.rows,
                  "K(rows, columns) between the inputs in this file and those of the experiment, which are "
                  "read alike")
      ->type_name("INPUTS");
  computing.add_flag("--features", kernel_options.features,
                     "of a model's archive: the kernel of what its readout reads, E[F F^T]/width");
  computing
      .add_flag("--layers", kernel_options.layers,
                "of every layer's output; --experiment NAME-LAYER chooses one, for -o")
      ->excludes("--rows")
      ->excludes("--features");
  computing
      .add_option("--block", kernel_options.block,
                  "compute only block I of N, into the file of -o, to be merged with the others")
      ->option_text("I/N");
  computing
      .add_option("--experiment", kernel_options.experiment, "the experiment, if the file holds several")
      ->type_name("NAME");
  add_quiet(computing, kernel_options.quiet);
  add_overrides(computing, kernel_options.overrides);
}

void CommandLine::add_networks(CLI::App& command, std::string& sampler, int& threads, std::size_t& memory) {
  command.add_option("--sampler", sampler, "how networks are drawn")
      ->check(CLI::IsMember({"auto", "exact", "dense"}))
      ->option_text("auto (default), exact or dense");
  command.add_option("--threads", threads, "threads that sample; 0 (default): one per processor")
      ->check(CLI::Range(0, 65536))
      ->option_text("N");
  command
      .add_option("--memory", memory, "what networks may take; default: half of what the machine has left")
      ->transform(CLI::AsSizeValue(false))
      ->option_text("SIZE, such as 4GiB");
}

void CommandLine::add_run() {
  CLI::App& running =
      command("run", "random networks against the analytic kernel", [this] { networks_.run(run_options); });
  add_file(running, run_options.file);
  running
      .add_option("--out", run_options.folder,
                  "where to; default: results/ and the file's name. An interrupted "
                  "run in there is continued")
      ->type_name("DIR");
  running.add_option("--device", run_options.device, "cpu (default), cuda or cuda:1")->option_text("DEVICE");
  add_networks(running, run_options.sampler, run_options.threads, run_options.memory);
  running.add_option("--shard", run_options.shard, "draw only part I of N, to be merged with the others")
      ->option_text("I/N");
  running.add_flag("--check", run_options.check,
                   "decide, as check does, and put the verdict into the report");
  running.add_flag("--layers", run_options.layers, "read out every layer: a width-versus-error plot of each");
  running.add_flag("!--no-law", run_options.law, "do not predict the errors by the finite-width law");
  add_quiet(running, run_options.quiet);
  running.add_flag("--dry-run", run_options.dry_run, "say how much time, memory and disk it would take");
  add_overrides(running, run_options.overrides);
}

void CommandLine::add_merge() {
  CLI::App& merging = command("merge", "one run from shards or unfinished runs, or one kernel from blocks",
                              [this] { merge(merge_options); });
  merging
      .add_option("parts", merge_options.parts,
                  "folders of one run's parts, or files of all blocks of a kernel")
      ->required()
      ->type_name("DIR|PART...");
  merging
      .add_option("--out", merge_options.out,
                  "where to; a run in there is added to. Of a kernel a .npy, .csv or .json file")
      ->required()
      ->type_name("DIR|K");
}

void CommandLine::add_check() {
  CLI::App& checking = command(
      "check", "is a kernel the limit of random networks? Exit status: 0 agree, 1 disagree, 2 inconclusive",
      [this] { status = networks_.check(check_options); });
  checking.add_option("files", check_options.files, "experiment files, programs, or models' archives")
      ->required()
      ->type_name("FILE.toml|FILE.netsor|FILE.nngp...");
  checking.add_option("--experiment", check_options.experiment, "only this one")->type_name("NAME");
  checking
      .add_option("--kernel", check_options.kernel,
                  "check this kernel (.npy, .csv or .json) instead of the analytic one")
      ->type_name("K");
  checking
      .add_option(
          "--kernel-stderr", check_options.kernel_stderr,
          "its standard errors, in such a file; known, unless a .json says of how many \"repeats\" they are")
      ->type_name("S");
  checking
      .add_option("--alpha", check_options.false_alarm,
                  "probability of \"disagree\" if a kernel is right; default: the file's, or 1e-6")
      ->type_name("A");
  checking
      .add_option("--resolution", check_options.resolution,
                  "\"agree\" says that no entry is off by more, relative to √(K_aa K_bb); default: the "
                  "file's, or 0.01")
      ->type_name("D");
  checking
      .add_option("--tolerance", check_options.tolerance,
                  "instead: a kernel within half of it is never called wrong, one beyond it never passed; "
                  "default: the "
                  "file's, if any")
      ->type_name("T")
      ->excludes("--resolution");
  checking
      .add_option("--time", check_options.time,
                  "after so many seconds, end undecided; default: the file's, or 120")
      ->type_name("S");
  checking
      .add_option("--inputs", check_options.inputs,
                  "how many inputs, chosen at random, each round looks at, or \"all\"; default: all of up to "
                  "128, else 64")
      ->transform(CLI::Transformer(std::map<std::string, std::int64_t>{{"all", config::all_inputs}},
                                   CLI::ignore_case))
      ->type_name("N");
  CLI::Option* law = checking.add_flag("--law", check_options.law,
                                       "instead of the kernel: do the networks fluctuate as the finite-width "
                                       "law says? --alpha is 1e-3 by default");
  law->excludes("--kernel")
      ->excludes("--resolution")
      ->excludes("--tolerance")
      ->excludes("--time")
      ->excludes("--inputs");
  checking
      .add_option("--pairs", check_options.pairs,
                  "for --law: of networks, of each of two widths; default: 1000")
      ->type_name("N")
      ->needs(law)
      ->check(CLI::Range(std::int64_t{10}, std::int64_t{1} << 24));
  checking.add_option("--junit", check_options.junit, "write JUnit XML")->type_name("FILE")->excludes(law);
  add_quiet(checking, check_options.quiet);
  checking.add_option("--json", check_options.json, "write the evidence as JSON")->type_name("FILE");
  add_networks(checking, check_options.sampler, check_options.threads, check_options.memory);
  add_overrides(checking, check_options.overrides);
}

void CommandLine::add_power() {
  PowerOptions& options = power_options;
  CLI::App& measuring = command("power", "how often and how fast wrong kernels are caught",
                                [this] { status = networks_.power(power_options) ? 0 : missed; });
  add_file(measuring, options.file);
  measuring.add_option("--experiment", options.experiment, "one of the experiments; default: all")
      ->type_name("NAME");
  measuring.add_option("--repetitions", options.repetitions, "checks of each wrong kernel; default: 20")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 32))
      ->option_text("N");
  measuring
      .add_option("--resolution", options.resolution,
                  "what a check must find, relative to √(K_aa K_bb); default: 0.01")
      ->option_text("D");
  measuring.add_flag("--above-resolution", options.above_resolution,
                     "leave out the right kernel and what differs from it by less than the resolution");
  measuring.add_option("--threads", options.threads, "0 (default): one per processor")
      ->check(CLI::Range(0, 1024))
      ->option_text("N");
  add_quiet(measuring, options.quiet);
  measuring.add_option("--json", options.json, "write the results there")->type_name("FILE");
  add_overrides(measuring, options.overrides);
}

void CommandLine::add_import() {
  CLI::App& importing = command("import", "a PyTorch model as a program, or why it has no limit",
                                [this] { status = import_model(import_options) ? 0 : no_limit; });
  importing.add_option("file", import_options.file, "a model's archive, of python -m nngpcheck.export")
      ->required()
      ->type_name("FILE.nngp");
  importing
      .add_option("--json", import_options.json,
                  "write verdict, diagnoses, classes of parameters, and how equal the outputs are")
      ->type_name("FILE");
  importing
      .add_option("-o,--output", import_options.output,
                  "write the program as text; large constants go into .npy files beside it")
      ->type_name("NET.netsor");
  importing.add_flag("--features", import_options.features,
                     "write the program of what the readout reads, instead of the outputs'");
}

void CommandLine::add_law() {
  CLI::App& predicting = command("law", "how far networks of finite width lie from the limit, predicted",
                                 [this] { law(law_options); });
  add_file(predicting, law_options.file);
  predicting.add_option("--experiment", law_options.experiment, "one of the experiments; default: all")
      ->type_name("NAME");
  predicting.add_option("--json", law_options.json, "write the numbers as JSON")->type_name("FILE");
  predicting.add_option("--plot", law_options.plot, "draw errors against widths, as FILE.svg and FILE.png")
      ->type_name("FILE");
  add_inputs(predicting, law_options.inputs);
  add_quiet(predicting, law_options.quiet);
  add_overrides(predicting, law_options.overrides);
}

void CommandLine::add_width() {
  WidthOptions& options = width_options;
  CLI::App& planning = command("width", "how wide a network must be for its kernel to be close to the limit",
                               [this] { width(width_options); });
  add_file(planning, options.file);
  planning
      .add_option("--error", options.error,
                  "of one network's kernel, |K^ - K|/|K| in Frobenius norms, such as 1%")
      ->required()
      ->type_name("E");
  planning
      .add_option(
          "--confidence", options.confidence,
          "the probability of a smaller error; default: the error is meant in root mean square, or 95% "
          "with --entry")
      ->type_name("P");
  planning.add_flag("--entry", options.entry, "of every entry at once, relative to √(K_aa K_bb)");
  planning.add_option("--experiment", options.experiment, "one of the experiments; default: all")
      ->type_name("NAME");
  add_inputs(planning, options.inputs);
  add_quiet(planning, options.quiet);
  add_overrides(planning, options.overrides);
}

/// CLI11 takes "-.5" for an option, unlike "-0.5".
std::vector<std::string> arguments(int argc, char** argv) {
  std::vector<std::string> result;
  for (int k = argc - 1; k > 0; --k) {  // CLI11 wants them in reverse
    std::string argument = argv[k];
    if (argument.starts_with("-.")) argument.insert(1, "0");
    result.push_back(std::move(argument));
  }
  return result;
}

/// CLI11 does not say which commands there are.
void check_command(const CLI::App& app, int argc, char** argv) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  if (argc < 2)
    throw UsageError(fmt::format("no command; one of {} (see nngpcheck --help)", fmt::join(names, ", ")));
  const std::string first = argv[1];
  if (first.starts_with('-') || std::find(names.begin(), names.end(), first) != names.end()) return;
  throw UsageError("no command is called \"" + first + "\"" + support::advice(first, names));
}

int complain(const std::string& message, int status) {
  fmt::print(stderr, "nngpcheck: {}\n", files::printable(message));
  return status;
}

int parse_and_run(int argc, char** argv, const NetworkCommands& networks) {
  CommandLine line(networks);
  try {
    check_command(line.app, argc, argv);
    line.app.parse(arguments(argc, argv));
  } catch (const CLI::Success& help) {
    return line.app.exit(help);
  } catch (const CLI::ParseError& error) {
    return complain(std::string(error.what()) + " (see nngpcheck --help)", bad_usage_or_input);
  }
  if (std::fflush(stdout) != 0) return complain("standard output cannot be written", failure);
  return line.status;
}

// Dense networks make the same large temporaries as the one before, and so do the layers of a kernel: their
// memory is kept instead of going back to the kernel and being cleared by it again.
void keep_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

}  // namespace

int run_command_line(int argc, char** argv, const NetworkCommands& networks) {
  keep_memory();
  std::signal(SIGXFSZ, SIG_IGN);  // a file that gets too large is an error like a full disk
  try {
    return parse_and_run(argc, argv, networks);
  } catch (const Error& error) {
    return complain(error.what(), bad_usage_or_input);
  } catch (const Stopped& stopped) {
    return complain(stopped.what(), interrupted);
  } catch (const std::bad_alloc&) {
    return complain("out of memory", failure);
  } catch (const std::exception& error) {
    return complain(std::string("unexpected: ") + error.what(), failure);
  }
}

}  // namespace nngpcheck::cli
