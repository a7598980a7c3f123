// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

/// Viewing by the second or minute from a prepaid balance.
///
/// A provider offers plans: a price for each started period. A viewer prepays, starts and stops; what is used becomes the
/// provider's, the rest remains the viewer's and can be taken back at any time. A viewer has at most one session.
contract PayPerUseSubscription {
    struct Plan {
        address provider;
        uint96 price; // wei for each started period
        uint32 period; // seconds: 1, 60, ...
        bool open;
    }

    struct Session {
        uint256 plan;
        uint96 price; // as agreed at the start
        uint32 period;
        uint64 startedAt; // Unix seconds; 0: no session
        uint64 paidPeriods;
    }

    Plan[] private _plans;
    mapping(address => Session) private _sessions;
    mapping(address => uint256) public prepaid;
    mapping(address => uint256) public earnings;

    event PlanOffered(uint256 indexed plan, address indexed provider, uint96 price, uint32 period);
    event PlanChanged(uint256 indexed plan, uint96 price, bool open);
    event Prepaid(address indexed viewer, uint256 amount);
    event Started(address indexed viewer, uint256 indexed plan, uint96 price, uint32 period);
    event Charged(address indexed viewer, uint256 indexed plan, uint64 periods, uint256 amount);
    event Stopped(address indexed viewer, uint256 indexed plan, bool exhausted);
    event Refunded(address indexed viewer, uint256 amount);
    event Claimed(address indexed provider, uint256 amount);

    error BadPlan(uint96 price, uint32 period);
    error UnknownPlan(uint256 plan);
    error PlanClosed(uint256 plan);
    error NotProvider(address caller);
    error PriceAbove(uint96 price, uint96 limit);
    error SessionRunning(address viewer);
    error NoSession(address viewer);
    error NotEnoughPrepaid(uint256 prepaid, uint256 needed);
    error NothingToPay(address account);
    error PaymentFailed(address to, uint256 amount);

    // --- provider ---

    function offer(uint96 price, uint32 period) external returns (uint256 plan) {
        if (price == 0 || period == 0) revert BadPlan(price, period);
        plan = _plans.length;
        _plans.push(Plan(msg.sender, price, period, true));
        emit PlanOffered(plan, msg.sender, price, period);
    }

    /// Holds for sessions that start later.
    function change(uint256 plan, uint96 price, bool open) external {
        Plan storage changed = _plan(plan);
        if (changed.provider != msg.sender) revert NotProvider(msg.sender);
        if (price == 0) revert BadPlan(price, changed.period);
        changed.price = price;
        changed.open = open;
        emit PlanChanged(plan, price, open);
    }

    /// Charges the started periods of running sessions; what was not started remains the viewer's.
    function settle(address[] calldata viewers) external {
        for (uint256 i = 0; i < viewers.length; i++) {
            if (_sessions[viewers[i]].startedAt != 0) _charge(viewers[i]);
        }
    }

    function claim() external returns (uint256 amount) {
        amount = earnings[msg.sender];
        if (amount == 0) revert NothingToPay(msg.sender);
        earnings[msg.sender] = 0;
        emit Claimed(msg.sender, amount);
        _pay(msg.sender, amount);
    }

    // --- viewer ---

    function prepay() external payable {
        if (msg.value == 0) revert NothingToPay(msg.sender);
        prepaid[msg.sender] += msg.value;
        emit Prepaid(msg.sender, msg.value);
    }

    /// Starts a session and charges its first period. `priceMax` guards against a price that changes on the way.
    function start(uint256 plan, uint96 priceMax) external {
        Plan storage chosen = _plan(plan);
        if (!chosen.open) revert PlanClosed(plan);
        if (chosen.price > priceMax) revert PriceAbove(chosen.price, priceMax);
        if (_sessions[msg.sender].startedAt != 0) revert SessionRunning(msg.sender);
        if (prepaid[msg.sender] < chosen.price) revert NotEnoughPrepaid(prepaid[msg.sender], chosen.price);
        _sessions[msg.sender] = Session(plan, chosen.price, chosen.period, uint64(block.timestamp), 0);
        emit Started(msg.sender, plan, chosen.price, chosen.period);
        _charge(msg.sender);
    }

    function stop() external {
        uint256 plan = _sessions[msg.sender].plan;
        if (_sessions[msg.sender].startedAt == 0) revert NoSession(msg.sender);
        if (_charge(msg.sender)) return;
        delete _sessions[msg.sender];
        emit Stopped(msg.sender, plan, false);
    }

    /// Takes back what is not used; a running session is charged first and goes on with the rest.
    function refund(uint256 amount) external {
        if (_sessions[msg.sender].startedAt != 0) _charge(msg.sender);
        uint256 left = prepaid[msg.sender];
        if (amount == 0) revert NothingToPay(msg.sender);
        if (left < amount) revert NotEnoughPrepaid(left, amount);
        prepaid[msg.sender] = left - amount;
        emit Refunded(msg.sender, amount);
        _pay(msg.sender, amount);
    }

    // --- views ---

    function planInfo(uint256 plan) external view returns (Plan memory) {
        return _plan(plan);
    }

    function planCount() external view returns (uint256) {
        return _plans.length;
    }

    function session(address viewer) external view returns (Session memory) {
        return _sessions[viewer];
    }

    /// Until when the viewer's session is covered, in Unix seconds; 0 without one. Whoever serves the stream stops there.
    function coveredUntil(address viewer) external view returns (uint256) {
        Session storage running = _sessions[viewer];
        if (running.startedAt == 0) return 0;
        uint256 periods = uint256(running.paidPeriods) + prepaid[viewer] / running.price;
        return running.startedAt + periods * running.period;
    }

    function _plan(uint256 plan) private view returns (Plan storage) {
        if (plan >= _plans.length) revert UnknownPlan(plan);
        return _plans[plan];
    }

    // Moves the price of all started periods to the provider. A balance that does not cover them ends the session.
    function _charge(address viewer) private returns (bool exhausted) {
        Session storage running = _sessions[viewer];
        uint256 plan = running.plan;
        uint256 periods = (block.timestamp - running.startedAt) / running.period + 1 - running.paidPeriods;
        uint256 covered = prepaid[viewer] / running.price;
        exhausted = periods > covered;
        if (exhausted) periods = covered;
        uint256 amount = periods * running.price;
        prepaid[viewer] -= amount;
        earnings[_plans[plan].provider] += amount;
        running.paidPeriods += uint64(periods);
        if (amount > 0) emit Charged(viewer, plan, uint64(periods), amount);
        if (exhausted) {
            delete _sessions[viewer];
            emit Stopped(viewer, plan, true);
        }
    }

    function _pay(address to, uint256 amount) private {
        (bool paid, ) = to.call{value: amount}("");
        if (!paid) revert PaymentFailed(to, amount);
    }
}
